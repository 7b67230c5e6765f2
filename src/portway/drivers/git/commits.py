"""Reading and writing repositories without a work tree (dulwich). Blocking; call it in a thread.

A commit is made only on top of what the branch is: nothing is ever rewritten. The same tree again is no commit.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from dulwich.file import FileLocked
from dulwich.objects import Blob, Commit, ObjectID, Tag, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from portway.drivers.contract import DriverError, Refused

_FILE, _EXECUTABLE = 0o100644, 0o100755
_TRIES = 50
_PAUSE_SECONDS = 0.02
_STALE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    email: str
    when: datetime
    """Aware. The same files, author and time on the same parent give the same commit id."""


@dataclass(frozen=True, slots=True)
class Committed:
    revision: str
    changed: bool
    """False: the branch already had this tree, ``revision`` is what it was."""
    before: str
    """Empty for the first commit."""


@dataclass(frozen=True, slots=True)
class Change:
    """``whole``: the tree becomes exactly ``files``; else they are laid over what is there."""

    files: Mapping[str, File]
    message: str
    author: Author
    branch: str = "main"
    whole: bool = True
    expected: str | None = None
    """Revision the branch must have (empty: none yet); otherwise DriverError ``Moved``."""


def commit(folder: Path, change: Change) -> Committed:
    """Refused for paths that leave the tree; DriverError ``Moved`` when others keep changing the branch."""
    reference = Ref(b"refs/heads/" + change.branch.encode())
    with closing(Repo(str(folder))) as repository:
        for _ in range(_TRIES):
            before = repository.refs.read_ref(reference)
            old = before if isinstance(before, bytes) and before else None
            if change.expected is not None and change.expected != (old.decode() if old else ""):
                raise DriverError("Moved", f"branch {change.branch} is at {old.decode() if old else 'nothing'}")
            try:
                made = _make(repository, change, ObjectID(old) if old else None)
                if made is None and old is not None:
                    return Committed(old.decode(), changed=False, before=old.decode())
                if made is not None and _advance(repository, reference, old, made):
                    return Committed(made.decode(), changed=True, before=old.decode() if old else "")
            except FileLocked as locked:
                _wait_for(Path(os.fsdecode(locked.lockfilename)))
    raise DriverError("Moved", f"branch {change.branch} keeps changing; try again", retry_after=1)


def resolve(folder: Path, revision: str = "HEAD") -> str:
    """The commit id of a branch, tag, full reference or commit id; empty when there is none."""
    with closing(Repo(str(folder))) as repository:
        found = _commit(repository, revision)
        return found.id.decode() if found else ""


def read_file(folder: Path, path: str, revision: str = "HEAD") -> bytes | None:
    """None when revision or file is not there."""
    with closing(Repo(str(folder))) as repository:
        found = _commit(repository, revision)
        if found is None:
            return None
        for name, mode, identifier in _walk(repository, found.tree, PurePosixPath(path).parts[:-1]):
            if name == path and stat.S_ISREG(mode):
                blob = repository[identifier]
                return blob.as_raw_string() if isinstance(blob, Blob) else None
    return None


def read_tree(folder: Path, revision: str = "HEAD", under: str = "") -> dict[str, File]:
    """All regular files by path, or those under a folder; links and submodules are left out."""
    with closing(Repo(str(folder))) as repository:
        found = _commit(repository, revision)
        files: dict[str, File] = {}
        for name, mode, identifier in _walk(repository, found.tree, PurePosixPath(under).parts) if found else ():
            if stat.S_ISREG(mode) and _is_under(name, under):
                files[name] = File(repository[identifier].as_raw_string(), executable=bool(mode & 0o111))
        return files


def references(folder: Path) -> dict[str, str]:
    """Full name → commit (or tag) id."""
    with closing(Repo(str(folder))) as repository:
        known = repository.refs.as_dict()
        return {name.decode(): identifier.decode() for name, identifier in known.items() if name.startswith(b"refs/")}


def _make(repository: Repo, change: Change, parent: ObjectID | None) -> ObjectID | None:
    """Writes blobs, trees and commit; None when the tree is that of the parent."""
    entries: dict[str, tuple[int, ObjectID]] = {}
    tree = repository[parent].tree if parent else None  # type: ignore[attr-defined]
    if tree is not None and not change.whole:
        entries = {name: (mode, identifier) for name, mode, identifier in _walk(repository, tree, None)}
    objects: list[Blob | Tree | Commit] = []
    for path, file in change.files.items():
        blob = Blob.from_string(file.content)
        objects.append(blob)
        entries[_checked(path)] = (_EXECUTABLE if file.executable else _FILE, blob.id)
    top = _trees(entries, objects)
    if top == tree:
        return None
    made = Commit()
    made.tree = top
    made.parents = [parent] if parent else []
    made.author = made.committer = f"{_plain(change.author.name)} <{_plain(change.author.email)}>".encode()
    made.author_time = made.commit_time = int(change.author.when.timestamp())
    made.author_timezone = made.commit_timezone = 0
    made.encoding = b"UTF-8"
    made.message = change.message.strip().encode() + b"\n"
    objects.append(made)
    # Loose objects: readers see each only when it is whole, and no garbage collection can be in the middle of it.
    for one in objects:
        repository.object_store.add_object(one)
    return made.id


def _trees(entries: Mapping[str, tuple[int, ObjectID]], objects: list[Blob | Tree | Commit]) -> ObjectID:
    """Adds the trees of a flat listing, deepest first; returns the top one."""
    here = Tree()
    below: dict[str, dict[str, tuple[int, ObjectID]]] = {}
    for path, (mode, identifier) in entries.items():
        first, _, rest = path.partition("/")
        if rest:
            below.setdefault(first, {})[rest] = (mode, identifier)
        else:
            here.add(first.encode(), mode, identifier)
    for name, inner in below.items():
        if name in entries:
            raise Refused("InvalidPath", f"{name} cannot be a file and a folder")
        here.add(name.encode(), stat.S_IFDIR, _trees(inner, objects))
    objects.append(here)
    return here.id


def _advance(repository: Repo, reference: Ref, old: bytes | None, new: ObjectID) -> bool:
    if old is None:
        return bool(repository.refs.add_if_new(reference, new))
    return bool(repository.refs.set_if_equals(reference, ObjectID(old), new))


def _wait_for(lock: Path) -> None:
    """Somebody is just writing this; or was killed while doing so, long ago."""
    time.sleep(_PAUSE_SECONDS)
    with suppress(FileNotFoundError):
        if time.time() - lock.stat().st_mtime > _STALE_SECONDS:
            lock.unlink()


def _commit(repository: Repo, revision: str) -> Commit | None:
    name = revision.encode()
    for candidate in (name, b"refs/heads/" + name, b"refs/tags/" + name):
        try:
            found = repository[candidate]
        except (KeyError, ValueError, AssertionError):
            continue
        while isinstance(found, Tag):
            found = repository[found.object[1]]
        if isinstance(found, Commit):
            return found
    return None


def _walk(
    repository: Repo, tree: ObjectID, within: tuple[str, ...] | None, prefix: str = ""
) -> Iterator[tuple[str, int, ObjectID]]:
    """(path, mode, id) of everything but folders; ``within`` limits the way down to one folder."""
    listed = repository[tree]
    if not isinstance(listed, Tree):
        return
    for entry in listed.iteritems():
        path = prefix + entry.path.decode(errors="surrogateescape")
        if not stat.S_ISDIR(entry.mode):
            yield path, entry.mode, entry.sha
        elif not within or entry.path.decode(errors="surrogateescape") == within[0]:
            yield from _walk(repository, entry.sha, within[1:] if within else None, f"{path}/")


def _is_under(path: str, folder: str) -> bool:
    return not folder.strip("/") or path.startswith(folder.strip("/") + "/")


def _checked(path: str) -> str:
    parts = path.split("/")
    if any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts) or "\0" in path:
        raise Refused("InvalidPath", f"{path!r} is no path inside a repository")
    return path


def _plain(text: str) -> str:
    return "".join(character for character in text if character not in "<>\n\0").strip() or "unknown"
