"""The scratch folder of one run. Nothing leaves it: no absolute path, no ``..``, no symbolic link on the way."""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from portway.drivers.services import SourceFile

_MOST_FILES = 20_000
_MOST_BYTES = 512 * 1024 * 1024


class OutsideFolder(Exception):
    """A path that leads out of the folder of the run."""


@dataclass(frozen=True, slots=True)
class Folder:
    root: Path

    def path(self, relative: str) -> Path:
        """The place of a relative path. Raises ``OutsideFolder``."""
        pure = PurePosixPath(relative or ".")
        if pure.is_absolute() or ".." in pure.parts or "\0" in relative or "\\" in relative:
            raise OutsideFolder(f"{relative!r} leads out of the folder of the run; give a relative path without ..")
        place = self.root
        for part in pure.parts:
            place = place / part
            if place.is_symlink():
                raise OutsideFolder(f"{relative!r} goes through the symbolic link {part}")
        return place

    def write(self, relative: str, file: SourceFile, *, replace: bool = True) -> bool:
        """False when it was there and is to be left."""
        place = self.path(relative)
        if place.exists() and not replace:
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{place.name}.portway-fresh")
        fresh.write_bytes(file.content)
        fresh.chmod(0o755 if file.executable else 0o644)
        fresh.replace(place)  # whole or not at all, should we be killed
        return True

    def files(self, relative: str = "") -> dict[str, SourceFile]:
        """All regular files below, by path relative to it. Symbolic links are left out."""
        start = self.path(relative)
        found: dict[str, SourceFile] = {}
        total = 0
        for place in self._walk(start):
            content = place.read_bytes()
            total += len(content)
            if total > _MOST_BYTES or len(found) >= _MOST_FILES:
                raise OutsideFolder(f"more than {_MOST_FILES} files or {_MOST_BYTES} bytes were made")
            executable = bool(place.stat().st_mode & 0o100)
            found[place.relative_to(start).as_posix()] = SourceFile(content, executable)
        return found

    def matching(self, pattern: str) -> list[str]:
        """Files and folders that a glob (``**`` goes deep) names, and the path itself."""
        self.path(pattern)
        names = sorted(p.relative_to(self.root).as_posix() for p in self.root.rglob("*"))
        return [name for name in names if matches(name, pattern)]

    def remove(self, relative: str) -> None:
        place = self.path(relative)
        if place == self.root:
            raise OutsideFolder("the folder of the run itself cannot be deleted")
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

    def rename(self, source: str, target: str, *, overwrite: bool) -> bool:
        """False when the source is gone and the target there: done before."""
        old, new = self.path(source), self.path(target)
        if not old.exists():
            if new.exists():
                return False
            raise FileNotFoundError(f"there is no {source}")
        if new.exists():
            if not overwrite:
                raise FileExistsError(f"{target} exists already; set overwrite: true to replace it")
            self.remove(target)
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
        return True

    @staticmethod
    def _walk(start: Path) -> Iterator[Path]:
        for place in sorted(start.rglob("*")):
            if place.is_file() and not place.is_symlink() and ".git" not in place.relative_to(start).parts:
                yield place


def matches(name: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./")
    if fnmatch.fnmatchcase(name, pattern):
        return True
    if "**/" in pattern and fnmatch.fnmatchcase(name, pattern.replace("**/", "")):
        return True
    return "*" not in pattern and name == pattern.rstrip("/")


def write_all(folder: Folder, below: str, files: Mapping[str, SourceFile], *, replace: bool) -> list[str]:
    """Names of what was written, relative to the run's folder."""
    written = []
    base = below.removeprefix("./").rstrip("/") if below not in (".", "/") else below.strip(".")
    for name, file in files.items():
        target = f"{base}/{name}" if base else name
        if folder.write(target, file, replace=replace):
            written.append(target)
    return written
