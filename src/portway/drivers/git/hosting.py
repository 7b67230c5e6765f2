"""What the scaffolder and the catalog need of Portway's own repositories, by address and without HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path

from portway.drivers.contract import DriverError
from portway.drivers.git import commits
from portway.drivers.git.commits import Change, Committed, File
from portway.drivers.git.places import Places


class Hosting:
    """All raise DriverError ``NoRepository`` for an address that leads nowhere."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def has(self, workspace: str, repository: str) -> bool:
        return self._places.find(workspace, repository) is not None

    def path(self, workspace: str, repository: str) -> Path:
        folder = self._places.find(workspace, repository)
        if folder is None:
            raise DriverError("NoRepository", f"there is no repository {repository} in {workspace}")
        return folder

    def url(self, workspace: str, repository: str) -> str:
        return self._places.url(workspace, repository)

    def locate(self, url: str) -> tuple[str, str] | None:
        """(workspace, repository) of one of our own URLs; None for those of others."""
        return self._places.locate(url)

    async def commit(self, workspace: str, repository: str, change: Change) -> Committed:
        return await asyncio.to_thread(commits.commit, self.path(workspace, repository), change)

    async def resolve(self, workspace: str, repository: str, revision: str = "HEAD") -> str:
        return await asyncio.to_thread(commits.resolve, self.path(workspace, repository), revision)

    async def read_file(self, workspace: str, repository: str, path: str, revision: str = "HEAD") -> bytes | None:
        return await asyncio.to_thread(commits.read_file, self.path(workspace, repository), path, revision)

    async def read_tree(
        self, workspace: str, repository: str, revision: str = "HEAD", under: str = ""
    ) -> dict[str, File]:
        return await asyncio.to_thread(commits.read_tree, self.path(workspace, repository), revision, under)
