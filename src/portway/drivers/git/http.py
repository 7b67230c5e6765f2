"""Git over HTTP (the smart protocol): a raw ASGI application around ``git http-backend``.

Paths: ``/git/<workspace path>/<repository>.git/{info/refs?service=…, git-upload-pack, git-receive-pack}``.
Both bodies are streamed, chunked and gzipped ones too. Who may do what is decided by the injected ``Authorize``;
after a push ``Pushed`` hears what moved, before the client hears the end.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import os
import re
import signal
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from portway.drivers.git import commits
from portway.drivers.git.places import Places

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_PATH = re.compile(r"/git/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)")
_WRITING = "git-receive-pack"
_BLOCK = 65536
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``status`` 200 lets in, 401 asks for credentials, 403 and 404 refuse."""

    status: int
    user: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """``before`` is empty for a new reference, ``after`` for a deleted one."""

    reference: str
    before: str
    after: str


Authorize = Callable[[Scope, str, str, bool], Awaitable[Verdict]]
"""(scope, workspace, repository, write) → verdict. ``token`` finds what the client sent."""
Pushed = Callable[[str, str, list[Move]], Awaitable[None]]
"""(workspace, repository, what moved). A failure is logged and does not undo the push."""


@dataclass(frozen=True, slots=True)
class Limits:
    body_bytes: int = 1 << 30
    """Of one request as sent, and of one pack as unpacked by the server."""
    at_once: int = 16
    """Requests with a git process; others wait."""
    seconds: float = 1800
    """For one request."""
    hook_seconds: float = 15
    """The client waits at most this long for the ``Pushed`` callback."""


def token(scope: Scope) -> str | None:
    """The password of basic authentication, or a bearer token."""
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password or None


class GitServer:
    """Mount it at ``/git/``; it looks at the whole path."""

    def __init__(self, places: Places, authorize: Authorize, pushed: Pushed, limits: Limits | None = None) -> None:
        self._places = places
        self._authorize = authorize
        self._pushed = pushed
        self._limits = limits or Limits()
        self._room = asyncio.Semaphore(self._limits.at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _PATH.fullmatch(scope["path"])
        service = _service(scope, match[3]) if match else None
        if match is None or service is None:
            await _refuse(send, 404, "this is no address of a git repository; clone /git/<workspace>/<repository>.git")
            return
        workspace, repository = unquote(match[1]), match[2]
        verdict = await self._authorize(scope, workspace, repository, service == _WRITING)
        if verdict.status != 200:
            await _refuse(send, verdict.status, verdict.message or _REASONS.get(verdict.status, "refused"))
            return
        folder = await asyncio.to_thread(self._places.find, workspace, repository)
        if folder is None:
            await _refuse(send, 404, f"there is no repository {repository} in {workspace}")
            return
        async with self._room:
            exchange = _Exchange(scope, receive, send, self._limits)
            if scope["method"] == "POST" and service == _WRITING:
                await self._push(exchange, folder, verdict.user, workspace, repository)
            else:
                await exchange.run(_environment(scope, folder, match[3], verdict.user, self._limits))
                await exchange.finish()

    async def _push(self, exchange: _Exchange, folder: Path, user: str, workspace: str, repository: str) -> None:
        before = await asyncio.to_thread(commits.references, folder)
        try:
            await exchange.run(_environment(exchange.scope, folder, _WRITING, user, self._limits))
        finally:
            # Also when the client went away: what was pushed stays pushed.
            moves = _moves(before, await asyncio.to_thread(commits.references, folder))
            if moves:
                await self._tell(workspace, repository, moves)
        await exchange.finish()

    async def _tell(self, workspace: str, repository: str, moves: list[Move]) -> None:
        try:
            async with asyncio.timeout(self._limits.hook_seconds):
                await self._pushed(workspace, repository, moves)
        except Exception:  # loop edge: the push has happened, whatever its listeners do
            _log.exception("push hook failed", extra={"workspace": workspace, "repository": repository})


class _TooLarge(Exception):
    pass


class _Gone(Exception):
    """The client hung up."""


class _Exchange:
    """One request and its git process; both directions flow at the same time."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._limits = limits
        self._begun = False
        self._answered = False
        self._watching: asyncio.Task[None] | None = None
        self._failure: tuple[int, str] | None = None

    async def run(self, environment: dict[str, str]) -> None:
        """Everything but the end of the response, which ``finish`` sends."""
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                "http-backend",
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except FileNotFoundError:
            self._failure = (503, "git is not installed on this machine")
            return
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        try:
            async with asyncio.timeout(self._limits.seconds), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._upload(process.stdin, tasks))
                tasks.create_task(self._download(process.stdout))
        except* _TooLarge:
            self._failure = (413, f"more than {self._limits.body_bytes} bytes in one request")
        except* _Gone:
            self._failure = (499, "")
        except* TimeoutError:
            self._failure = (504, "git took too long")
        finally:
            process.stdin.close()
            if process.returncode is None and not (self._answered and self._failure is None):
                # The whole session: receive-pack and its children would keep the pipes open.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def finish(self) -> None:
        if self._begun:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        elif self._failure is None or self._failure[0] != 499:
            await _refuse(self._send, *(self._failure or (502, "git did not answer")))

    async def _upload(self, pipe: asyncio.StreamWriter, tasks: asyncio.TaskGroup) -> None:
        seen, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            body, more = message.get("body", b""), message.get("more_body", False)
            seen += len(body)
            if seen > self._limits.body_bytes:
                raise _TooLarge
            # Git may stop reading when it has refused; the rest of the body is then read and dropped.
            with suppress(ConnectionError):
                pipe.write(body)
                await pipe.drain()
        with suppress(ConnectionError):
            pipe.write_eof()
        # A clone nobody waits for is stopped; a push that has arrived whole is finished all the same.
        if not self._answered and not self.scope["path"].endswith(_WRITING):
            self._watching = tasks.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        raise _Gone

    async def _download(self, pipe: asyncio.StreamReader) -> None:
        status, headers = 200, []
        while line := (await pipe.readline()).rstrip(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"status":
                status = int(value.split()[0])
            else:
                headers.append((name.lower(), value.strip()))
        if headers:
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
            self._begun = True
        while block := await pipe.read(_BLOCK):
            await self._send({"type": "http.response.body", "body": block, "more_body": True})
        self._answered = True
        if self._watching is not None:
            self._watching.cancel()


_REASONS = {401: "log in: any user name, a Portway token as the password", 403: "you may not do this here"}


async def _refuse(send: Send, status: int, message: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="Portway"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{message}\n".encode()})


def _service(scope: Scope, action: str) -> str | None:
    """Which of the two services a request is about; None for what the smart protocol does not have."""
    if action == "info/refs":
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("service", [""])[0]
        known = asked in {"git-upload-pack", _WRITING}
        return asked if known and scope["method"] in {"GET", "HEAD"} else None
    return action if scope["method"] == "POST" else None


def _environment(scope: Scope, folder: Path, action: str, user: str, limits: Limits) -> dict[str, str]:
    """CGI (RFC 3875) as git-http-backend(1) reads it; nothing of our own environment but PATH."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope.get("client") or ("", 0)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "REQUEST_METHOD": scope["method"],
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "PATH_TRANSLATED": str(folder / action),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REMOTE_USER": user or "portway",
        "REMOTE_ADDR": str(client[0]),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        **_configuration(
            [
                ("safe.directory", "*"),
                ("http.receivepack", "true"),
                ("receive.maxInputSize", str(limits.body_bytes)),
                ("core.hooksPath", os.devnull),
                ("uploadpack.allowReachableSHA1InWant", "true"),
            ]
        ),
    }
    if "content-length" in headers:
        environment["CONTENT_LENGTH"] = headers["content-length"]
    return environment


def _configuration(settings: Iterable[tuple[str, str]]) -> dict[str, str]:
    numbered = list(enumerate(settings))
    pairs = {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in numbered}
    pairs |= {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in numbered}
    return pairs | {"GIT_CONFIG_COUNT": str(len(numbered))}


def _moves(before: dict[str, str], after: dict[str, str]) -> list[Move]:
    return [
        Move(name, before.get(name, ""), after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
