"""Clients that mean no good, or know no better: others are served as if they were not there."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
import time

import pytest
from benchmarks import serving
from benchmarks.wire import Answer, Connection, Target

from portway.bootstrap import listening, protocols

CONFIGS = "/api/v1/namespaces/default/configmaps"


async def ask(target: Target, method: str, path: str, body: bytes = b"", media: str = "application/json") -> Answer:
    connection = await Connection.open(target)
    try:
        async with asyncio.timeout(60):
            return await connection.ask(target.request(method, path, body, media))
    finally:
        connection.transport.abort()


def config(name: str, fill: str = "") -> bytes:
    return json.dumps({"metadata": {"name": name}, "data": {"fill": fill}}).encode()


async def test_an_oversized_body_is_413_and_costs_no_memory(served: serving.Served) -> None:
    before = serving.resident(served.pid)
    for _ in range(5):
        try:
            answer = await ask(served.target(), "POST", CONFIGS, config("big", "x" * 16_000_000))
        except (ConnectionError, OSError):  # cut off while it was still sending: as good
            continue
        assert answer.code == 413
    assert serving.resident(served.pid) - before < 64e6
    assert (await ask(served.target(), "POST", CONFIGS, config("small"))).code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"metadata":{"name":"x"},"data":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
        b"{" * 3,
        b"\xff\xfe\x00",
        b'{"metadata":{"name":"\\ud800"}}',
        b'{"metadata":{"name":1e999}}',
        b"null",
        b'"text"',
        b"[]",
    ],
)
async def test_bodies_that_are_no_objects_are_refused(served: serving.Served, body: bytes) -> None:
    assert (await ask(served.target(), "POST", CONFIGS, body)).code in (400, 413, 422)


@pytest.mark.parametrize(
    "body",
    [
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c + 1, c + 1, b",".join([b"*%c" % c] * 9)) for c in range(ord("a"), ord("k"))),
        b"a: &a\n  b: *a\n",
        b"metadata: " + b"[" * 100_000,
        b"? " * 50_000,
        b"- " * 50_000 + b"x",
        b"a: !!python/object/apply:os.system ['true']\n",
        b"\t\tx: y\n",
        b"%YAML 9.9\n---\nx: y\n",
    ],
    ids=["billion laughs", "itself", "flow depth", "keys of keys", "block depth", "tag", "tabs", "directive"],
)
async def test_yaml_bombs_are_refused_at_once(served: serving.Served, body: bytes) -> None:
    started = time.monotonic()
    answer = await ask(served.target(), "POST", CONFIGS, body, "application/yaml")
    assert answer.code in (400, 413, 422), answer
    path = f"{CONFIGS}/bomb?fieldManager=x"
    answer = await ask(served.target(), "PATCH", path, body, "application/apply-patch+yaml")
    assert answer.code in (400, 413, 422), answer
    assert time.monotonic() - started < 20


async def test_bad_protobuf_is_a_client_error(served: serving.Served) -> None:
    chance, target = random.Random(7), served.target()
    connection = await Connection.open(target)
    for number in range(300):
        raw = chance.randbytes(chance.choice((0, 3, 10, 100)))
        inner = b"\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12" + bytes([min(len(raw), 127)]) + raw
        body = chance.choice((b"k8s\0" + inner, b"k8s\0" + raw, raw or b"k", inner, b"k8s\0" + inner[: number % 20]))
        answer = await connection.ask(target.request("POST", CONFIGS, body, "application/vnd.kubernetes.protobuf"))
        assert 400 <= answer.code < 500, (body, answer)
    connection.transport.abort()


async def test_garbage_before_http_closes_only_its_own_connection(served: serving.Served) -> None:
    chance = random.Random(3)
    for size in (1, 20, 2000):
        with socket.create_connection((served.target().host, served.port)) as stranger:
            stranger.sendall(chance.randbytes(size))
    for text in (b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01" + b"x" * 50, b"BREW /pot HTTP/1.1\r\n\r\n"):
        with socket.create_connection((served.target().host, served.port)) as stranger:
            stranger.sendall(text)
    assert (await ask(served.target(), "GET", "/readyz")).code == 200


@pytest.mark.slow
async def test_slow_loris_is_cut_off_and_others_do_not_notice(served: serving.Served) -> None:
    loop = asyncio.get_running_loop()
    strangers = []
    for _ in range(200):
        stranger = socket.create_connection((served.target().host, served.port))
        stranger.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        strangers.append(stranger)
    started = loop.time()
    assert (await ask(served.target(), "POST", CONFIGS, config("meanwhile"))).code == 201
    assert loop.time() - started < 10
    await asyncio.sleep(protocols.HEAD_SECONDS + 2)
    for stranger in strangers:
        stranger.settimeout(20)
        try:
            assert stranger.recv(10) == b""
        except ConnectionError:
            pass
        finally:
            stranger.close()


def _send_headers(stranger: socket.socket, count: int) -> None:
    for number in range(count):
        stranger.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1000))


async def test_headers_without_end_are_cut_off(served: serving.Served) -> None:
    with socket.create_connection((served.target().host, served.port)) as stranger:
        stranger.settimeout(20)
        stranger.sendall(b"GET /readyz HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            _send_headers(stranger, 1_000_000)
    assert (await ask(served.target(), "GET", "/readyz")).code == 200


@pytest.mark.slow
async def test_a_watch_that_is_never_read_is_dropped_and_others_are_not_harmed(served: serving.Served) -> None:
    target = served.target()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((target.host, target.port))
    context = target.tls
    assert isinstance(context, ssl.SSLContext)
    deaf = context.wrap_socket(raw, server_hostname=target.host)
    deaf.sendall(target.request("GET", f"{CONFIGS}?watch=true"))
    before = await _watches(target)
    assert before == 1
    connection = await Connection.open(target)
    assert (await connection.ask(target.request("POST", CONFIGS, config("loud")))).code == 201
    slowest, started = 0.0, time.monotonic()
    number = 0
    while await _watches(target):
        assert time.monotonic() - started < listening.UNREAD_SECONDS + 60, "the watch is still there"
        for _ in range(20):
            number += 1
            asked = time.monotonic()
            body = config("loud", str(number) + "x" * 50_000)
            assert (await connection.ask(target.request("PUT", f"{CONFIGS}/loud", body))).code == 200
            slowest = max(slowest, time.monotonic() - asked)
        await asyncio.sleep(0.5)
    assert slowest < 10
    assert serving.resident(served.pid) < 400e6
    connection.transport.abort()
    deaf.close()


async def _watches(target: Target) -> int:
    text = (await ask(target, "GET", "/metrics")).body.decode()
    [line] = [line for line in text.splitlines() if line.startswith("apiserver_longrunning_requests{")]
    return int(float(line.split()[-1]))
