"""Where templates fetch files from: Portway's own repositories directly, others by a shallow clone over HTTP(S)."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portway.drivers.contract import DriverError
from portway.drivers.git import commits
from portway.drivers.git.hosting import Hosting
from portway.drivers.services import SourceFile, SourceMissing

_CLONE_SECONDS = 120.0
_FORGE = re.compile(r"^(https?://[^/]+/.+?)/(?:-/)?(?:tree|blob)/([^/]+)/?(.*)$")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


@dataclass(frozen=True, slots=True)
class GitSources:
    """Implements ``drivers.services.Sources``. ``scratch`` holds clones while they are read."""

    hosting: Hosting
    scratch: Path

    async def tree(self, url: str, folder: str, workspace: str) -> Mapping[str, SourceFile]:
        source, reference, inner = _parts(url)
        under = "/".join(filter(None, (inner, folder))).strip("/")
        own = self.hosting.locate(source)
        try:
            if own is None:
                files = await self._clone(source, reference, under)
            elif workspace == own[0] or workspace.startswith(own[0] + ":"):
                files = await self.hosting.read_tree(*own, reference, under)
            else:
                raise SourceMissing(f"repositories of {own[0]} cannot be read from {workspace}, which is not below it")
        except DriverError as error:
            raise SourceMissing(str(error)) from error
        prefix = f"{under}/" if under else ""
        return {path.removeprefix(prefix): SourceFile(file.content, file.executable) for path, file in files.items()}

    async def _clone(self, source: str, reference: str, under: str) -> dict[str, commits.File]:
        if not source.startswith(("https://", "http://")):
            raise SourceMissing(f"{source} is not an http or https address of a git repository")
        await asyncio.to_thread(self.scratch.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch) as place:
            branch = ["--branch", reference] if reference != "HEAD" else []
            await _git("clone", "--quiet", "--bare", "--depth=1", *branch, "--", source, f"{place}/clone")
            return await asyncio.to_thread(commits.read_tree, Path(place) / "clone", "HEAD", under)


def _parts(url: str) -> tuple[str, str, str]:
    """(repository, reference, folder) of ``<git URL>@<ref>`` or ``…/tree/<ref>/<folder>``."""
    if match := _FORGE.match(url):
        return _checked(match[1], match[2], match[3])
    source, marked, reference = url.rpartition("@")
    if marked and "/" in source.removeprefix("https://").removeprefix("http://") and ":" not in reference:
        return _checked(source, reference, "")
    return _checked(url, "HEAD", "")


def _checked(source: str, reference: str, folder: str) -> tuple[str, str, str]:
    if not _SAFE.fullmatch(reference) or ".." in reference:
        raise SourceMissing(f"{reference!r} is not a branch, tag or commit")
    return source, reference, folder


async def _git(*arguments: str) -> None:
    only_http = ["-c", "protocol.allow=never", "-c", "protocol.http.allow=always", "-c", "protocol.https.allow=always"]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        "git", *only_http, *arguments, env=environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_CLONE_SECONDS):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise SourceMissing(f"git did not finish within {_CLONE_SECONDS:g} s") from None
    if process.returncode != 0:
        words = said.decode("utf-8", "replace").strip().splitlines()
        raise SourceMissing(words[-1] if words else f"git ended with code {process.returncode}")
