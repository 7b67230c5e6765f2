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

from portway.bootstrap import certificates, listening
from portway.bootstrap.errors import StartError


async def _app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["scheme"].encode()})


@asynccontextmanager
async def _serving(folder: Path) -> AsyncIterator[int]:
    listener = listening.bind("127.0.0.1", 0)
    context = certificates.server_context(folder, datetime.datetime.now(datetime.UTC))
    server = asyncio.create_task(listening.Server(_app, listener, context).serve())
    try:
        yield listener.getsockname()[1]
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


async def test_one_port_answers_plain_http_and_tls(tmp_path: Path) -> None:
    async with _serving(tmp_path) as port:
        trust = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
        async with httpx.AsyncClient(verify=trust) as client:
            plain = await client.get(f"http://127.0.0.1:{port}/")
            secure = await client.get(f"https://127.0.0.1:{port}/")
    assert (plain.text, secure.text) == ("http", "https")


async def test_a_client_that_says_nothing_or_nonsense_hurts_no_other(tmp_path: Path) -> None:
    async with _serving(tmp_path) as port:
        _, silent = await asyncio.open_connection("127.0.0.1", port)
        reader, broken = await asyncio.open_connection("127.0.0.1", port)
        broken.write(b"\x16 this is no handshake")
        await reader.read()  # ends when the server gives the connection up
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == "http"
        silent.close()
        broken.close()


def test_a_taken_port_is_one_sentence_with_a_way_out() -> None:
    taken = listening.bind("127.0.0.1", 0)
    port = taken.getsockname()[1]
    with taken, pytest.raises(StartError, match=rf"Port {port} on 127.0.0.1 is taken.*PORTWAY_PORT={port + 1}"):
        listening.bind("127.0.0.1", port)


def test_certificates_are_kept_until_they_near_their_end(tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    certificates.server_context(tmp_path, now)
    authority, server = (tmp_path / "ca.crt").read_bytes(), (tmp_path / "server.crt").read_bytes()
    certificates.server_context(tmp_path, now + datetime.timedelta(days=300))
    assert (tmp_path / "server.crt").read_bytes() == server
    certificates.server_context(tmp_path, now + datetime.timedelta(days=390))
    assert (tmp_path / "server.crt").read_bytes() != server
    assert (tmp_path / "ca.crt").read_bytes() == authority
    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o600}
