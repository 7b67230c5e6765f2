"""Repositories and jobs in memory."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portway.drivers.services import (
    Change,
    JobOrder,
    JobPhase,
    JobReport,
    RepositoryMissing,
    SourceFile,
    SourceMissing,
)


@dataclass
class MemoryRepositories:
    """``commits``: (workspace, repository, revision) → files."""

    commits: dict[tuple[str, str, str], dict[str, bytes]] = field(default_factory=dict)
    made: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """(workspace, repository, key) → revision."""
    changes: list[Change] = field(default_factory=list)

    def add(self, workspace: str, repository: str, revision: str, files: Mapping[str, str]) -> None:
        self.commits[workspace, repository, revision] = {path: text.encode() for path, text in files.items()}

    async def location(self, workspace: str, repository: str) -> str:
        if not any(key[:2] == (workspace, repository) for key in [*self.commits, *self.made]):
            raise RepositoryMissing(f"there is no repository {repository} in {workspace}")
        return f"/git/{workspace}/{repository}"

    async def read(self, workspace: str, repository: str, revision: str, path: str) -> bytes | None:
        try:
            return self.commits[workspace, repository, revision].get(path)
        except KeyError:
            raise RepositoryMissing(f"there is no commit {revision[:12]} in {repository}") from None

    async def commit(self, workspace: str, repository: str, change: Change) -> str:
        key = (workspace, repository, change.key)
        if key not in self.made:
            self.changes.append(change)
            self.made[key] = hashlib.sha1(change.key.encode()).hexdigest()
            files = {path: file.content for path, file in change.files.items()}
            self.commits[workspace, repository, self.made[key]] = files
        return self.made[key]

    async def url(self, workspace: str, repository: str) -> str:
        return f"http://127.0.0.1/git/{workspace}/{repository}.git"


@dataclass
class MemorySources:
    """``trees``: (url, folder) → files."""

    trees: dict[tuple[str, str], dict[str, SourceFile]] = field(default_factory=dict)

    async def tree(self, url: str, folder: str, workspace: str) -> Mapping[str, SourceFile]:
        try:
            return self.trees[url, folder]
        except KeyError:
            raise SourceMissing(f"there is no folder {folder} at {url}") from None


@dataclass
class MemoryJobs:
    """A job whose script says ``false`` fails with exit code 1, one that says ``sleep`` runs until it is released."""

    orders: dict[str, JobOrder] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, order: JobOrder) -> JobReport:
        self.orders.setdefault(order.id, order)
        return await self.wait(order.id, 0)

    async def wait(self, id: str, seconds: float) -> JobReport:  # noqa: A002
        if id not in self.orders:
            return JobReport(JobPhase.ABSENT)
        run = self.orders[id].run
        if id in self.cancelled:
            return JobReport(JobPhase.CANCELLED)
        if "sleep" in run and not self.released.is_set():
            await asyncio.sleep(min(seconds, 0.01))
            return JobReport(JobPhase.RUNNING)
        if "false" in run:
            return JobReport(JobPhase.FAILED, 1, "exited with code 1; last lines: assert 1 == 2")
        return JobReport(JobPhase.SUCCEEDED, 0)

    async def log(self, id: str, lines: int) -> Sequence[str]:  # noqa: A002
        return ["+ " + self.orders[id].run][-lines:]

    async def cancel(self, id: str) -> None:  # noqa: A002
        self.cancelled.add(id)


__all__ = ["MemoryJobs", "MemoryRepositories", "MemorySources", "SourceFile"]
