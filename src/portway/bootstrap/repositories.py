"""Portway's own repositories: in the shape controllers ask for, and who may clone from and push to them."""

from __future__ import annotations

import asyncio
import datetime
import subprocess
from contextvars import ContextVar
from dataclasses import dataclass, replace
from email.utils import parseaddr
from pathlib import Path

from portway.apis import resources
from portway.bootstrap.sessions import Sessions
from portway.client.contract import Client
from portway.controllers.pipelineruns.pushes import Push, Pushes
from portway.drivers.contract import DriverError
from portway.drivers.git import commits, http
from portway.drivers.git.hosting import Hosting
from portway.drivers.services import Change, RepositoryMissing
from portway.krm.errors import StatusError
from portway.portal.dependencies import TreeRequest

NAMESPACE = "default"
CLAIMS = resources.claim("repositories", "Repository")
_TRAILER = "Portway-Change"
_GIT_SECONDS = 30.0
_pusher: ContextVar[str] = ContextVar("pusher")
"""Token of the request under way: authorize and pushed run in the same task."""


@dataclass(frozen=True, slots=True)
class HostedRepositories:
    """Implements ``drivers.services.Repositories``, and the portal's ``read_tree``."""

    hosting: Hosting

    async def location(self, workspace: str, repository: str) -> str:
        return str(self._path(workspace, repository))

    async def read(self, workspace: str, repository: str, revision: str, path: str) -> bytes | None:
        try:
            return await self.hosting.read_file(workspace, repository, path, revision)
        except DriverError as error:
            raise RepositoryMissing(str(error)) from error

    async def url(self, workspace: str, repository: str) -> str:
        self._path(workspace, repository)
        return self.hosting.url(workspace, repository)

    async def commit(self, workspace: str, repository: str, change: Change) -> str:
        folder = self._path(workspace, repository)
        made = await asyncio.to_thread(_find, folder, change.branch, f"{_TRAILER}: {change.key}")
        if made:
            return made
        # on top of an earlier attempt only: whatever a person pushed is never replaced
        attempt = await asyncio.to_thread(_find, folder, change.branch, f"{_TRAILER}: ")
        name, email = parseaddr(change.author)
        wanted = commits.Change(
            files={path: commits.File(f.content, f.executable) for path, f in change.files.items()},
            message=f"{change.message.rstrip()}\n\n{_TRAILER}: {change.key}\n",
            author=commits.Author(name or change.author, email, datetime.datetime.now(datetime.UTC)),
            branch=change.branch,
            expected=attempt,
        )
        try:
            return (await self.hosting.commit(workspace, repository, wanted)).revision
        except DriverError as error:
            raise RepositoryMissing(f"repository {repository} holds other work already: {error}") from error

    async def read_tree(self, request: TreeRequest) -> dict[str, bytes] | None:
        try:
            files = await self.hosting.read_tree(request.workspace, request.repository, under=request.path)
        except DriverError:
            return None
        prefix = f"{request.path}/" if request.path else ""
        return {path.removeprefix(prefix): file.content for path, file in files.items()}

    def _path(self, workspace: str, repository: str) -> Path:
        try:
            return self.hosting.path(workspace, repository)
        except DriverError as error:
            raise RepositoryMissing(str(error)) from error


@dataclass(frozen=True, slots=True)
class GitAccess:
    """Rights of the API decide: who may get a Repository claim may clone, who may update it may push."""

    system: Client
    sessions: Sessions
    pushes: Pushes

    async def authorize(self, scope: http.Scope, workspace: str, repository: str, write: bool) -> http.Verdict:
        token = http.token(scope)
        if token is None:
            return http.Verdict(401, message="log in with your token as the password")
        try:
            owner = await self.sessions.whoami(token)
            client = self.system.with_token(token).at(workspace)
            await client.get(CLAIMS, repository, NAMESPACE)
            if write and not await _may_update(client, repository):
                return http.Verdict(403, owner.user, f"{owner.user} may not update repository {repository}")
            _pusher.set(token)
        except StatusError as error:
            return http.Verdict(error.code if error.code in (401, 403, 404) else 403, message=error.message)
        return http.Verdict(200, owner.user)

    async def pushed(self, workspace: str, repository: str, moves: list[http.Move]) -> None:
        """The runs of a push are made by the one who pushed, so that they say who it was."""
        pushes = replace(self.pushes, client=self.system.with_token(_pusher.get()))
        for move in moves:
            branch = move.reference.removeprefix("refs/heads/")
            if branch != move.reference and move.after:
                await pushes.received(Push(workspace, repository, branch, move.after))


async def _may_update(client: Client, repository: str) -> bool:
    attributes = {
        "verb": "update",
        "group": CLAIMS.group,
        "resource": CLAIMS.plural,
        "name": repository,
        "namespace": NAMESPACE,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await client.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
    return bool(answer["status"]["allowed"])


def _find(folder: Path, branch: str, text: str) -> str:
    """The newest commit of a branch whose message has the text; empty when there is none."""
    arguments = ["log", "--format=%H", "-n1", "--fixed-strings", f"--grep={text}", f"refs/heads/{branch}", "--"]
    done = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_GIT_SECONDS,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""
