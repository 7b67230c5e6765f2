"""Where repositories lie, and by which names they are found.

A repository's folder is derived from its uid (``objects/<uid>.git``); its address is a link
(``names/<workspace>/<name>.git``), which belongs to whoever took it first. So a repository made anew under an old name
never becomes the old one.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from portway.drivers import naming

_WORKSPACE = re.compile(r"[a-z0-9][a-z0-9-]*(:[a-z0-9][a-z0-9-]*)*")
_PATH = re.compile(r"/git/([^/]+)/([^/]+?)(?:\.git)?/?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Places:
    home: Path
    base_url: str
    """Of the server that answers ``/git/…``, for example ``http://127.0.0.1:8700``."""

    def folder(self, uid: str) -> Path:
        return self.home / "objects" / f"{naming.external_name(uid, separator='-')}.git"

    def find(self, workspace: str, repository: str) -> Path | None:
        """The folder behind an address; None for unknown and for impossible names (no way out of ``home``)."""
        if not _WORKSPACE.fullmatch(workspace) or not _REPOSITORY.fullmatch(repository):
            return None
        link = self._link(workspace, repository)
        folder = link.resolve()
        inside = folder.parent == (self.home / "objects").resolve()
        return folder if inside and folder.is_dir() else None

    def name(self, uid: str, workspace: str, repository: str) -> str | None:
        """The name under which the repository of this uid is reachable."""
        for candidate in self._candidates(uid, repository):
            if self._leads_to(self._link(workspace, candidate)) == self.folder(uid).name:
                return candidate
        return None

    def take_name(self, uid: str, workspace: str, repository: str) -> str:
        """The name itself, or one with a digest when another repository has it."""
        for candidate in self._candidates(uid, repository):
            link = self._link(workspace, candidate)
            link.parent.mkdir(parents=True, exist_ok=True)
            if self._leads_to(link) is not None and not link.exists():
                link.unlink(missing_ok=True)  # of a repository that is gone
            with suppress(FileExistsError):
                link.symlink_to(os.path.relpath(self.folder(uid), link.parent))
            if self._leads_to(link) == self.folder(uid).name:
                return candidate
        raise FileExistsError(f"{repository} in {workspace}")

    def drop_name(self, uid: str, workspace: str, repository: str) -> None:
        name = self.name(uid, workspace, repository)
        if name is not None:
            self._link(workspace, name).unlink(missing_ok=True)

    def url(self, workspace: str, name: str) -> str:
        return f"{self.base_url.rstrip('/')}/git/{quote(workspace, safe=':')}/{quote(name)}.git"

    def locate(self, url: str) -> tuple[str, str] | None:
        """(workspace, repository name) of one of our own URLs, however loopback is called in it; None for others."""
        asked, ours = urlsplit(url), urlsplit(self.base_url)
        match = _PATH.fullmatch(unquote(asked.path))
        here = {ours.hostname, *_LOOPBACK} if ours.hostname in _LOOPBACK else {ours.hostname}
        if match is None or asked.hostname not in here or asked.port != ours.port:
            return None
        return match[1], match[2]

    def _candidates(self, uid: str, repository: str) -> tuple[str, str]:
        return repository, naming.external_name(uid, repository, separator="-")

    def _link(self, workspace: str, repository: str) -> Path:
        return self.home / "names" / workspace / f"{repository}.git"

    def _leads_to(self, link: Path) -> str | None:
        try:
            return Path(os.readlink(link)).name
        except OSError:
            return None
