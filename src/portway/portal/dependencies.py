"""What bootstrap gives to the portal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from portway.client.contract import Client
from portway.index.following import Index
from portway.portal.sessions import MemorySessions, Sessions


class User(NamedTuple):
    """Who is logged in, as the API sees it."""

    name: str
    groups: tuple[str, ...] = ()


class LogRequest(NamedTuple):
    """Which log is wanted. Checked before: the user may ``get`` the workload."""

    workspace: str
    namespace: str
    workload: str
    container: str
    tail: int = 200
    """Lines from the end to begin with."""
    follow: bool = True


class TreeRequest(NamedTuple):
    """Which files of a Portway repository are wanted. Checked before: the user may ``get`` the Repository claim."""

    workspace: str
    repository: str
    """Name of the Repository claim in namespace default."""
    path: str = ""
    """Folder in the repository, without slashes around it; empty is all of it."""


LogSource = Callable[[LogRequest], AsyncIterator[str]]
"""Log lines without line ends; ends when the log does (or after the tail, without ``follow``)."""
ReadTree = Callable[[TreeRequest], Awaitable[Mapping[str, bytes] | None]]
"""Files of the default branch by path relative to ``path``; None when there is no such repository."""
Login = Callable[[str], Awaitable[str | None]]
"""Redeems a one-time token: an API token made for the session, or None when it is unknown, used or too old."""
Identify = Callable[[str], Awaitable[User | None]]
"""Whose API token this is; None when it is not valid."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the portal."""

    title: str = "Portway"
    docs: Path | None = None
    """Folder of Portway's own documentation, shown at /docs; None hides it."""
    session_seconds: int = 12 * 3600
    """How long the cookie lives. A working day: long enough not to log in twice, short for a shared machine."""
    access_seconds: float = 20.0
    """How long answers to "may this user read that workspace" are believed. Objects themselves are always asked for."""
    page_size: int = 50
    """Rows of the catalog table."""
    separate_loopback: bool = True
    """Send browsers from 127.0.0.1 to localhost at log-in: cookies are shared between ports of one host name, and
    workloads are served on ports of 127.0.0.1."""


async def _no_logs(request: LogRequest) -> AsyncIterator[str]:
    yield f"Logs of {request.workload} are not kept on this server."


async def _no_tree(request: TreeRequest) -> Mapping[str, bytes] | None:  # noqa: ARG001  the protocol's signature
    return None


async def _no_login(token: str) -> str | None:  # noqa: ARG001  the protocol's signature
    return None


@dataclass(frozen=True, slots=True)
class Deps:
    client: Client
    """Any identity; only ``with_token`` and ``at`` of it are used."""
    index: Index
    """Bootstrap runs it (``index.run``) beside the portal."""
    login: Login = _no_login
    sessions: Sessions = field(default_factory=MemorySessions)
    doors: tuple[tuple[str, str], ...] = ()
    """(name, path) of other ways to log in, such as the company's provider."""
    identify: Identify | None = None
    """Without it the API is asked by SelfSubjectReview in workspace root."""
    logs: LogSource = _no_logs
    read_tree: ReadTree = _no_tree
    settings: Settings = field(default_factory=Settings)
