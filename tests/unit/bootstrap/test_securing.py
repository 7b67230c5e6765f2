"""Who may speak plain HTTP, and whom a client certificate names."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from portway.bootstrap import certificates, listening
from portway.bootstrap.dispatching import API_PREFIXES
from portway.bootstrap.errors import StartError
from portway.bootstrap.securing import SecureOnly

NOW = datetime.datetime.now(datetime.UTC)
HOUR = datetime.timedelta(hours=1)


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    peer = scope["state"].get("peer")
    body = f"{peer.user.name} {','.join(peer.user.groups)} {peer.serial} {dict(peer.user.extra)}" if peer else "hello"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body.encode()})


async def _ask(client: tuple[str, int], path: str, method: str = "GET", scheme: str = "http") -> httpx.Response:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["server"] = ("10.0.0.1", 8700)
        scope["state"] = {}
        await SecureOnly(_hello, API_PREFIXES)(scope, receive, send)

    transport = httpx.ASGITransport(app=app, client=client)
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://portway.test:8700") as http:
        return await http.request(method, path)


@pytest.mark.parametrize(
    ("client", "path", "method", "scheme", "code"),
    [
        pytest.param("10.0.0.9", "/catalog", "GET", "http", 308, id="pages are redirected"),
        pytest.param("10.0.0.9", "/login", "POST", "http", 400, id="forms carry secrets"),
        pytest.param("10.0.0.9", "/api/v1/pods", "GET", "http", 400, id="a redirected API call has sent its token"),
        pytest.param("10.0.0.9", "/api/v1/pods", "GET", "https", 200, id="TLS is for everybody"),
        pytest.param("127.0.0.1", "/api/v1/pods", "GET", "http", 200, id="loopback stays in the machine"),
        pytest.param("10.0.0.1", "/api/v1/pods", "GET", "http", 200, id="so does an address to itself"),
        pytest.param("nonsense", "/api/v1/pods", "GET", "http", 400, id="who is unknown is elsewhere"),
    ],
)
async def test_plain_http_is_for_this_machine_only(client: str, path: str, method: str, scheme: str, code: int) -> None:
    assert (await _ask((client, 4000), path, method, scheme)).status_code == code


async def test_a_redirect_keeps_path_and_query() -> None:
    answer = await _ask(("10.0.0.9", 4000), "/catalog/a%20b?kind=api&q=%C3%BC")
    assert answer.headers["location"] == "https://portway.test:8700/catalog/a%20b?kind=api&q=%C3%BC"


@asynccontextmanager
async def _serving(folder: Path, own: certificates.Own | None = None) -> AsyncIterator[int]:
    listener = listening.bind("127.0.0.1", 0)
    context = certificates.server_context(folder, NOW, ["portway.test"], own)
    server = asyncio.create_task(listening.Server(_hello, listener, context).serve())
    try:
        yield listener.getsockname()[1]
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


def _trust(folder: Path, pem: certificates.Issued | None = None, place: Path | None = None) -> ssl.SSLContext:
    trust = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    if pem is not None and place is not None:
        place.mkdir(exist_ok=True)
        (place / "c.crt").write_text(pem.certificate)
        (place / "c.key").write_text(pem.key)
        trust.load_cert_chain(place / "c.crt", place / "c.key")
    return trust


async def test_a_client_certificate_names_user_and_groups(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    async with _serving(folder) as port:
        issued = certificates.issue_client(folder, "ada", ["payments", "acme"], HOUR, NOW)
        async with httpx.AsyncClient(verify=_trust(folder, issued, tmp_path / "a")) as client:
            answers = [(await client.get(f"https://127.0.0.1:{port}/")).text for _ in range(2)]
        async with httpx.AsyncClient(verify=_trust(folder)) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/")).text == "hello"
    fingerprint = x509.load_pem_x509_certificate(issued.certificate.encode()).fingerprint(hashes.SHA256()).hex()
    extra = {"authentication.kubernetes.io/credential-id": (f"X509SHA256={fingerprint}",)}
    assert answers == [f"ada payments,acme,system:authenticated {issued.serial} {extra}"] * 2


async def test_certificates_of_others_and_old_ones_are_refused(tmp_path: Path) -> None:
    folder, other = tmp_path / "pki", tmp_path / "other"
    async with _serving(folder) as port:
        strange = certificates.issue_client(other, "system:admin", ["system:masters"], HOUR, NOW)
        past = certificates.issue_client(folder, "ada", [], HOUR, NOW - 3 * HOUR)
        for number, issued in enumerate((strange, past)):
            async with httpx.AsyncClient(verify=_trust(folder, issued, tmp_path / str(number))) as client:
                with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
                    await client.get(f"https://127.0.0.1:{port}/")


async def test_the_servers_authority_names_no_users(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    certificates.server_context(folder, NOW)
    server, client = ((folder / f"{stem}.crt").read_bytes() for stem in ("ca", "client-ca"))
    assert x509.load_pem_x509_certificate(server).public_key() != x509.load_pem_x509_certificate(client).public_key()
    assert (folder / "client-ca.key").stat().st_mode & 0o777 == 0o600


async def test_an_own_certificate_is_served_by_name_and_the_local_one_by_address(tmp_path: Path) -> None:
    folder, theirs = tmp_path / "pki", tmp_path / "theirs"
    certificates.server_context(theirs, NOW, ["portway.test"])
    own = certificates.Own(theirs / "server.crt", theirs / "server.key")
    async with _serving(folder, own) as port:
        async with httpx.AsyncClient(verify=_trust(folder)) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/")).text == "hello"
        async with httpx.AsyncClient(verify=_trust(theirs)) as client:
            request = client.build_request("GET", f"https://127.0.0.1:{port}/")
            request.extensions["sni_hostname"] = "portway.test"
            assert (await client.send(request)).text == "hello"
    with pytest.raises(StartError, match="no certificate with its key"):
        certificates.server_context(folder, NOW, [], certificates.Own(theirs / "server.crt", folder / "ca.key"))


def test_a_new_name_makes_a_new_certificate(tmp_path: Path) -> None:
    certificates.server_context(tmp_path, NOW)
    before = (tmp_path / "server.crt").read_bytes()
    certificates.server_context(tmp_path, NOW, ["10.0.0.5", "portway.test"])
    certificate = x509.load_pem_x509_certificate((tmp_path / "server.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert (tmp_path / "server.crt").read_bytes() != before
    assert "portway.test" in names.get_values_for_type(x509.DNSName)
    assert "10.0.0.5" in map(str, names.get_values_for_type(x509.IPAddress))
