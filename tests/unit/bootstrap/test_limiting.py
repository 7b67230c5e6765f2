from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from portway.bootstrap.limiting import LimitedBodies


async def _size(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _form(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(str((await request.form())["a"]))))


@pytest.fixture
def asked() -> list[int]:
    return []


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/", _size, methods=["POST"]), Route("/form", _form, methods=["POST"])])
    transport = httpx.ASGITransport(app=LimitedBodies(app, 1000))
    async with httpx.AsyncClient(transport=transport, base_url="http://portway") as found:
        yield found


async def _parts(sizes: list[int], asked: list[int]) -> AsyncIterator[bytes]:
    for size in sizes:
        asked.append(size)
        yield b"x" * size


async def test_a_body_within_the_limit_arrives(client: httpx.AsyncClient, asked: list[int]) -> None:
    assert (await client.post("/", content=_parts([500, 500], asked))).text == "1000"


async def test_what_is_longer_is_refused_and_not_read_to_its_end(client: httpx.AsyncClient, asked: list[int]) -> None:
    answer = await client.post("/", content=_parts([500, 501, 500, 500], asked))
    assert (answer.status_code, answer.text) == (413, "The request is longer than 1000 bytes.")
    assert asked == [500, 501]


async def test_forms_are_limited_too(client: httpx.AsyncClient) -> None:
    assert (await client.post("/form", data={"a": "x" * 900})).text == "900"
    data: dict[str, Any] = {"a": "x" * 1001}
    assert (await client.post("/form", data=data)).status_code == 413
