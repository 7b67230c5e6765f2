"""``portway login --oidc``: log in at a provider, with the browser here or (``devices``) anywhere.

The server speaks with the provider, so that the provider needs to know one address only. To the browser here it sends
the result to a port of this machine: a code that is of no use without a secret that never leaves this process.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import ssl
import webbrowser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from portway.cli import devices, output
from portway.cli.errors import CommandError
from portway.kit import lazily

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")

_WAIT_SECONDS = 300.0
_PAGE = b"<!doctype html><title>Portway</title><p>You are logged in. Go back to the terminal; this page may be closed."


async def log_in(address: str, authority: str, issuer: str, *, browser: bool, device: bool = False) -> dict[str, Any]:
    """What the server gives: ``issuer``, ``id_token`` and ``refresh_token``, or ``token``. Raises CommandError."""
    trust = ssl.create_default_context(cadata=authority) if authority else True
    async with httpx.AsyncClient(base_url=address, verify=trust, timeout=30.0) as http:
        begin = await _beginning(http, issuer)
        if device:
            return await devices.log_in(http, begin[1])
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        code = await _code(begin, verifier, state, browser=browser)
        answer = await http.post("/session/oidc/redeem", json={"code": code, "verifier": verifier})
    if answer.status_code != 200:
        raise CommandError(f"{address} did not finish the log-in: {answer.text.strip()}")
    found: dict[str, Any] = answer.json()
    return found


async def _beginning(http: httpx.AsyncClient, issuer: str) -> tuple[str, str]:
    """(address of the log-in, issuer)."""
    answer = await http.get("/session/oidc")
    try:
        known = [str(each["issuer"]) for each in answer.json()["providers"]]
        place = str(answer.json()["address"])
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{http.base_url} does not answer as Portway does; is the address right?") from None
    if not known:
        raise CommandError("This Portway trusts no OpenID Connect provider; log in with --token.")
    if issuer and issuer not in known:
        raise CommandError(f"There is no provider {issuer}. There are: {', '.join(known)}.")
    if not issuer and len(known) > 1:
        raise CommandError(f"Choose a provider with --issuer: {', '.join(known)}.")
    return place, issuer or known[0]


async def _code(begin: tuple[str, str], verifier: str, state: str, *, browser: bool) -> str:
    arrived: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode("latin-1").split(" ")
        query = parse_qs(urlsplit(line[1]).query) if len(line) > 1 else {}
        good = query.get("state") == [state] and bool(query.get("code"))
        body = _PAGE if good else b"This is not the log-in that the terminal waits for."
        head = f"HTTP/1.1 {200 if good else 400} .\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()
        if good and not arrived.done():
            arrived.set_result(query["code"][0])

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {"issuer": begin[1], "port": str(port), "challenge": challenge, "state": state}
        url = f"{begin[0]}/session/oidc/start?{urlencode(query)}"
        output.notes.print(f"Log in here: {url}", soft_wrap=True, markup=False)
        if browser and not webbrowser.open(url):
            output.notes.print("There is no browser here: --device logs in with one elsewhere.")
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                return await arrived
        except TimeoutError:
            raise CommandError("Nobody logged in within five minutes; nothing was changed.") from None
