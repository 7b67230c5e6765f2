"""Calls over sockets: connection pool, local CA, bearer token or client certificate."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portway.client.transport import Answer, Call, Stream
from portway.kit import lazily
from portway.krm import errors
from portway.krm.errors import StatusError

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")

_CONNECT_SECONDS = 10.0
_IDLE_CONNECTIONS = 20


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM texts; empty ``ca`` means the system's authorities."""

    ca: str = ""
    certificate: str = ""
    key: str = ""
    verify: bool = True
    server_name: str = ""
    """The name expected in the certificate when it is not the host of the address."""


class HttpTransport:
    """Implements ``client.transport.Transport``. ``server`` is scheme, host, port and an optional path."""

    def __init__(self, server: str, tls: Tls = Tls()) -> None:
        self._server = server.rstrip("/")
        self._extensions = {"sni_hostname": tls.server_name} if tls.server_name else {}
        self._http = httpx.AsyncClient(
            verify=_context(tls) if self._server.startswith("https:") else False,
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=_IDLE_CONNECTIONS),
            trust_env=False,
            follow_redirects=False,
        )

    async def send(self, call: Call) -> Answer:
        try:
            response = await self._http.send(self._request(call))
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        return Answer(response.status_code, dict(response.headers), response.content)

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[Stream]:
        request = self._request(call)
        request.extensions["timeout"] = {
            **request.extensions.get("timeout", {}),
            "read": call.silence_seconds,
        }
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        try:
            yield Stream(response.status_code, dict(response.headers), self._chunks(response))
        finally:
            await response.aclose()

    async def close(self) -> None:
        await self._http.aclose()

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _request(self, call: Call) -> httpx.Request:
        url = self._server + call.path + (f"?{call.query}" if call.query else "")
        request = self._http.build_request(call.method, url, headers=dict(call.headers), content=call.body or None)
        request.extensions.update(self._extensions)
        return request

    def _unreachable(self, error: httpx.HTTPError) -> StatusError:
        cause = str(error) or type(error).__name__
        return errors.unavailable(f"no answer from {self._server}: {cause}. Is Portway running there?")


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=tls.ca or None)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate:
        _load_certificate(context, tls)
    return context


def _load_certificate(context: ssl.SSLContext, tls: Tls) -> None:
    """Python's ssl reads a client certificate from a file only: one of our own, gone at once."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{tls.certificate}\n{tls.key}\n")
        file.flush()
        context.load_cert_chain(file.name)
