"""What must be there before anything is started, so that a wrong setting leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path

from portway.bootstrap.errors import StartError
from portway.bootstrap.settings import Settings

_SCHEMES = ("postgresql://", "postgres://")
_PROGRAMS = ("initdb", "postgres", "pg_ctl")


def check(settings: Settings) -> None:
    """Raises StartError that names what is missing and what to do."""
    if shutil.which("git") is None:
        raise StartError("git is not installed or not on the PATH; install it and start again.")
    if settings.postgres_url and not settings.postgres_url.startswith(_SCHEMES):
        raise StartError(
            "PORTWAY_POSTGRES_URL is no URL of a PostgreSQL server; expected postgresql://user:password@host:port/, "
            "or leave it out for the embedded server."
        )
    if settings.postgres_bin and not settings.postgres_url:
        _check_programs(Path(settings.postgres_bin))


def _check_programs(folder: Path) -> None:
    missing = [program for program in _PROGRAMS if not (folder / program).is_file()]
    if missing:
        raise StartError(
            f"PORTWAY_POSTGRES_BIN is {folder}, which has no {' and no '.join(missing)}; give the folder with "
            "PostgreSQL's programs, or leave it out for the packaged ones."
        )
