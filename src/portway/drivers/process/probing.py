"""Asking a process how it is: Score's httpGet and exec probes, and a plain connection to a port."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from portway.drivers.process.specs import Exec, HttpGet, Probe, Text

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the probed process lives."""

    folder: Path
    environment: Mapping[str, str]
    ports: Mapping[str | int, int]
    """Score's port number or name → the port given by the agent."""
    render: Callable[[Text], str]
    """Fills in secrets."""


async def probe(asked: Probe, around: Surroundings, timeout: float) -> str:
    """Empty when it answers well, else one sentence why not."""
    try:
        async with asyncio.timeout(timeout):
            match asked:
                case HttpGet():
                    return await _http_get(asked, around)
                case Exec():
                    return await _exec([around.render(word) for word in asked.command], around)
    except TimeoutError:
        return f"no answer within {timeout:.0f} s"
    except FileNotFoundError as error:
        return f"{error.filename} is not there"
    except (OSError, ValueError) as error:
        return str(error)


async def accepts(port: int, timeout: float = 1.0) -> bool:
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(_LOOPBACK, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def _http_get(asked: HttpGet, around: Surroundings) -> str:
    port = around.ports.get(asked.port, asked.port)
    if not isinstance(port, int):
        return f"the probe names port {port!r}, which is no service port"
    context = None
    if asked.scheme == "HTTPS":
        context = ssl.create_default_context()
        context.check_hostname = False  # a probe asks for life, not for identity
        context.verify_mode = ssl.CERT_NONE
    # Always loopback: `host` is what the program is told, not a place to reach.
    headers = {"Host": asked.host or f"{_LOOPBACK}:{port}", "User-Agent": "portway-probe", "Connection": "close"}
    headers |= {name: around.render(value) for name, value in asked.headers}
    path = around.render(asked.path)
    if any(character in text for text in (path, *headers.values()) for character in "\r\n"):
        return "the probe has a line break in its path or headers"
    try:
        reader, writer = await asyncio.open_connection(_LOOPBACK, port, ssl=context)
    except OSError:
        return f"nothing listens on port {port}"
    try:
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await writer.drain()
        status = (await reader.readline()).split(b" ")
    finally:
        writer.close()
    code = int(status[1]) if len(status) > 1 and status[1].strip().isdigit() else 0
    if 200 <= code < 400:
        return ""
    return f"the GET request was answered with {code}" if code else "the GET request was not answered in HTTP"


async def _exec(command: Sequence[str], around: Surroundings) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=around.folder,
        env=dict(around.environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = await process.wait()
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    return "" if code == 0 else f"the probe command exited with code {code}"
