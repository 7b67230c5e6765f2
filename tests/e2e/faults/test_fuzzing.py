"""Ten thousand requests from our own OpenAPI documents, and not one 5xx. PORTWAY_FUZZ_SEED repeats a run."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from itertools import islice
from typing import Any

import pytest
from benchmarks import serving
from benchmarks.wire import Connection, Target
from tests.e2e.faults.requestgenerator import Generator, Made

COUNT = int(os.environ.get("PORTWAY_FUZZ_REQUESTS", "10000"))
CONNECTIONS = 8


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_request_is_answered_by_an_internal_error(served: serving.Served) -> None:
    target = served.target()
    paths = target.ask("GET", "/openapi/v3")["paths"]
    # the documents give absolute addresses, which name the workspace themselves
    documents = [target.ask("GET", f"/openapi/v3/{path}") for path in paths]
    seed = int(os.environ.get("PORTWAY_FUZZ_SEED", "1"))
    codes, bad = asyncio.run(_send(target, Generator(documents, seed).requests(COUNT)))
    assert not bad, f"seed {seed}: {len(bad)} of {COUNT}: {bad[:5]}"
    assert codes[200] + codes[201] > COUNT / 20, f"the requests are too wrong to tell anything: {codes}"


async def _send(target: Target, requests: Any) -> tuple[Counter[int], list[Any]]:
    codes: Counter[int] = Counter()
    bad: list[Any] = []

    async def work() -> None:
        connection = await Connection.open(target)
        while batch := list(islice(requests, 1)):
            [made] = batch
            connection, code, body = await _one(target, connection, made)
            codes[code] += 1
            if code >= 500:
                bad.append((made, code, body[:300]))
        connection.transport.abort()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return codes, bad


async def _one(target: Target, connection: Connection, made: Made) -> tuple[Connection, int, bytes]:
    data = target.request(made.method, made.path, made.body, made.media)
    try:
        async with asyncio.timeout(30):
            answer = await connection.ask(data)
    except ConnectionError:
        return await Connection.open(target), 0, b""
    return connection, answer.code, answer.body
