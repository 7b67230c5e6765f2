"""Log-in at a provider, with a provider that is not ours (oidc-provider-mock) on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import httpx
import oidc_provider_mock
import pytest
from starlette.applications import Starlette

from portway.apiserver.app import ApiServer
from portway.apiserver.oidc import Issuer
from portway.apiserver.settings import Settings
from portway.bootstrap.sessions import Sessions
from portway.bootstrap.signingon import SignOn
from portway.cli import signingon
from portway.client.inprocess import InProcessTransport
from portway.client.rest import RestClient
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider's own libraries

ADDRESS = "http://localhost:8700"
GROUPS = ["payments", "cn=ops,ou=acme"]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread() as server:
        url = f"http://localhost:{server.server_port}"
        httpx.put(f"{url}/users/ada", json={"email": "ada@acme.test", "groups": GROUPS}).raise_for_status()
        yield url


@dataclass
class Portway:
    issuer: str
    sign_on: SignOn
    system: RestClient
    sessions: Sessions

    def browser(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=Starlette(routes=self.sign_on.routes))
        return httpx.AsyncClient(transport=transport, base_url=ADDRESS)

    async def whoami(self, token: str) -> tuple[str, tuple[str, ...]]:
        owner = await self.sessions.whoami(token)
        return owner.user, owner.groups


@pytest.fixture
async def portway(tmp_path: Path, issuer: str) -> AsyncIterator[Portway]:
    trusted = Issuer(url=issuer, client_id="portway", client_secret="s", username_claim="email", groups_claim="groups")
    cache = Cache(SqliteStore(tmp_path / "store.db"))
    await cache.start()
    server = ApiServer(cache, Settings(issuers=(trusted,)))
    await server.start()
    system = RestClient(InProcessTransport(server), "root", server.boot_token)
    sessions = Sessions(system)
    yield Portway(issuer, SignOn(server.context.authenticator.providers, sessions, ADDRESS), system, sessions)
    await server.close()
    await cache.close()


async def _log_in_at(url: str, user: str = "ada") -> str:
    """What the person does on the provider's page; answers where the browser is sent."""
    async with httpx.AsyncClient() as provider:
        answer = await provider.post(url, data={"sub": user})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


async def test_the_browser_comes_back_logged_in(portway: Portway) -> None:
    [(_, door)] = portway.sign_on.doors
    async with portway.browser() as browser:
        begun = await browser.get(f"{door}&next=/catalog")
        asked = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
        assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
        back = await _log_in_at(begun.headers["location"])
        assert back.startswith(f"{ADDRESS}/session/oidc/callback?")
        entered = await browser.get(_path(back))
    target = entered.headers["location"]
    assert target.startswith("/login?token=")
    assert target.endswith("&next=/catalog")
    session = await portway.sessions.redeem(parse_qs(urlsplit(target).query)["token"][0])
    assert await portway.whoami(session) == ("ada@acme.test", tuple(GROUPS))


async def test_nobody_ends_a_log_in_that_another_browser_began(portway: Portway) -> None:
    [(_, door)] = portway.sign_on.doors
    async with portway.browser() as attacker, portway.browser() as victim:
        begun = await attacker.get(door)
        back = await _log_in_at(begun.headers["location"])
        assert (await victim.get(_path(back))).status_code == 400
        await victim.get(door)
        assert (await victim.get(_path(back))).status_code == 400, "nor with a log-in of its own under way"


async def test_a_code_is_of_no_use_twice(portway: Portway) -> None:
    [(_, door)] = portway.sign_on.doors
    async with portway.browser() as browser:
        begun = await browser.get(door)
        cookie = dict(browser.cookies)
        back = await _log_in_at(begun.headers["location"])
        assert (await browser.get(_path(back))).status_code == 303
        browser.cookies.update(cookie)
        assert (await browser.get(_path(back))).status_code == 403


async def test_the_answer_of_another_provider_is_not_taken(portway: Portway) -> None:
    [(_, door)] = portway.sign_on.doors
    async with portway.browser() as browser:
        begun = await browser.get(door)
        back = _path(await _log_in_at(begun.headers["location"]))
        assert (await browser.get(f"{back}&iss=https://evil.test")).status_code == 400
        assert (await browser.get(f"{back}&iss={quote(portway.issuer, safe='')}")).status_code == 303


async def test_an_unknown_provider_is_not_gone_to(portway: Portway) -> None:
    async with portway.browser() as browser:
        assert (await browser.get("/session/oidc/start?issuer=https://evil.test")).status_code == 404


async def test_the_command_line_gets_a_session_by_a_port_of_its_own(
    portway: Portway, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: asyncio.Queue[str] = asyncio.Queue()
    monkeypatch.setattr("webbrowser.open", opened.put_nowait)

    class OverAsgi(httpx.AsyncClient):
        def __init__(self, **options: Any) -> None:
            transport = httpx.ASGITransport(app=Starlette(routes=portway.sign_on.routes))
            super().__init__(transport=transport, base_url=options["base_url"])

    monkeypatch.setattr(signingon, "httpx", _Namespace(OverAsgi))
    waiting = asyncio.create_task(signingon.log_in(ADDRESS, "", "", browser=True))
    url = await asyncio.wait_for(opened.get(), 30)
    async with portway.browser() as browser:
        begun = await browser.get(_path(url))
        entered = await browser.get(_path(await _log_in_at(begun.headers["location"])))
    async with httpx.AsyncClient() as loopback:
        target = entered.headers["location"]
        assert (await loopback.get(target.replace("state=", "state=x"))).status_code == 400
        assert "logged in" in (await loopback.get(target)).text
    found = await asyncio.wait_for(waiting, 30)
    assert set(found) == {"token"}, "this provider renews no ID tokens: a session as the portal's"
    assert (await portway.whoami(found["token"]))[0] == "ada@acme.test"


class _Namespace:
    def __init__(self, client: type[httpx.AsyncClient]) -> None:
        self.AsyncClient = client


async def test_a_code_for_a_command_line_needs_its_secret(portway: Portway) -> None:
    async with portway.browser() as browser:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(b"mine").digest()).rstrip(b"=").decode()

        async def code() -> str:
            begun = await browser.get(f"/session/oidc/start?port=4321&challenge={challenge}&state=s")
            entered = await browser.get(_path(await _log_in_at(begun.headers["location"])))
            return parse_qs(urlsplit(entered.headers["location"]).query)["code"][0]

        stolen = {"code": await code(), "verifier": "another"}
        assert (await browser.post("/session/oidc/redeem", json=stolen)).status_code == 401
        own = {"code": await code(), "verifier": "mine"}
        assert (await browser.post("/session/oidc/redeem", json=own)).status_code == 200
        assert (await browser.post("/session/oidc/redeem", json=own)).status_code == 401
        assert (await browser.post("/session/oidc/redeem", content=b"nonsense")).status_code == 400
