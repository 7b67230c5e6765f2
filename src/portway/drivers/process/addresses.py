"""Where the agent of a home answers. Unix socket paths are short (104 bytes on macOS), homes may be long."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from portway.drivers.process import records

_LONGEST = 100


def prepare(home: Path) -> Path:
    """A free path for the socket, in a folder only we may enter."""
    path = home / "agent.sock"
    if len(os.fsencode(path)) > _LONGEST:
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"portway-{os.getuid()}-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
            raise PermissionError(f"{folder} belongs to somebody else")
        path = folder / "agent.sock"
    path.unlink(missing_ok=True)
    return path


def publish(home: Path, path: Path) -> None:
    records.write(home / "agent.json", {"socket": str(path), "pid": os.getpid()})


def retire(home: Path, path: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent != home:
        with suppress(OSError):
            path.parent.rmdir()


def known(home: Path) -> Path | None:
    """What the last agent published; it may be gone."""
    record = records.read(home / "agent.json")
    return Path(record["socket"]) if record and "socket" in record else None


@cache
def version() -> str:
    """Of the agent's own code, so that a newer control plane replaces an older agent."""
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    return code.hexdigest()[:16]
