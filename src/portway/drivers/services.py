"""What git and process drivers offer besides the four verbs, as protocols; bootstrap gives them to controllers.

Repositories are named by workspace and the name of their Repository claim in namespace ``default``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class RepositoryMissing(Exception):
    """There is no such repository, or no such commit in it; the message says which."""


class SourceMissing(Exception):
    """There is nothing to read at a URL; the message says why."""


class Sources(Protocol):
    async def tree(self, url: str, folder: str, workspace: str) -> Mapping[str, SourceFile]:
        """Files below a folder, by path relative to it. ``workspace`` is the one they are fetched for.

        ``url`` is ``<git URL>@<branch, tag or commit>``, or a GitHub-like ``…/tree/<ref>/<path>``. Raises
        ``SourceMissing``.
        """


class Repositories(Protocol):
    """Raises ``RepositoryMissing`` throughout."""

    async def location(self, workspace: str, repository: str) -> str:
        """Folder of the git repository on this machine."""

    async def read(self, workspace: str, repository: str, revision: str, path: str) -> bytes | None:
        """Content of a file at a commit; None when the commit has no such file."""

    async def commit(self, workspace: str, repository: str, change: Change) -> str:
        """Push a first commit; returns its id. Done before with the same ``change.key``: that commit again.

        Raises ``RepositoryMissing`` when the branch holds other work already.
        """

    async def url(self, workspace: str, repository: str) -> str:
        """To clone from and push to."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A commit to make. ``key`` identifies it over restarts (it stands in the message as a trailer)."""

    key: str
    files: Mapping[str, SourceFile]
    """By relative path with ``/``."""
    message: str
    author: str
    """``Name <mail>``."""
    branch: str = "main"


class JobPhase(StrEnum):
    ABSENT = "absent"
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self in (JobPhase.SUCCEEDED, JobPhase.FAILED, JobPhase.CANCELLED)


@dataclass(frozen=True, slots=True)
class JobOrder:
    """A shell script to run once. Jobs of one ``group`` share a checkout."""

    id: str
    run: str
    group: str
    repository: str
    """Folder of a git repository."""
    revision: str
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class JobReport:
    phase: JobPhase
    exit_code: int | None = None
    message: str = ""


class Jobs(Protocol):
    """Jobs outlive the control plane; one that was started is found again by its id."""

    async def start(self, order: JobOrder) -> JobReport: ...

    async def wait(self, id: str, seconds: float) -> JobReport:  # noqa: A002
        """Return when it is over or the time has passed."""

    async def log(self, id: str, lines: int) -> Sequence[str]: ...  # noqa: A002

    async def cancel(self, id: str) -> None: ...  # noqa: A002
