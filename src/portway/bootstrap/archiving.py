"""``portway backup`` and ``portway restore``: they work on the store itself, whether Portway runs or not."""

from __future__ import annotations

import datetime
from pathlib import Path

from portway.bootstrap import locking
from portway.bootstrap.errors import StartError
from portway.bootstrap.settings import Settings
from portway.store import archives
from portway.store.archives import Archivable, NotEmpty, Summary
from portway.store.contract import StoreError
from portway.store.postgres_archiving import PostgresArchiving
from portway.store.sqlite_archiving import SqliteArchiving


async def back_up(current: Settings, file: Path) -> Summary:
    """Raises StartError."""
    taken = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        async with _archiving(current).snapshot() as snapshot:
            return await archives.write(file, snapshot, taken)
    except StoreError as error:
        raise StartError(f"No backup was made: {error}.") from error
    except OSError as error:
        raise StartError(f"{file} cannot be written: {error.strerror}.") from error


async def bring_back(current: Settings, file: Path, *, replace: bool) -> Summary:
    """Raises StartError; then nothing was changed."""
    found = locking.running(current.home)
    if found is not None:
        raise StartError(f"Portway runs on {current.home} (process {found.pid}). Stop it first with `portway down`.")
    try:
        summary = archives.verify(file)
        current.home.mkdir(parents=True, exist_ok=True)
        revision = await _archiving(current).restore(summary.revision, archives.read(file), replace=replace)
    except NotEmpty as error:
        raise StartError(f"{error}. Give it up with --replace, or choose another PORTWAY_HOME.") from error
    except StoreError as error:
        raise StartError(f"Nothing was restored: {error}.") from error
    return Summary(revision, summary.objects, summary.taken)


def _archiving(current: Settings) -> Archivable:
    if current.store_url:
        return PostgresArchiving(current.store_url)
    return SqliteArchiving(current.home / "store.db")
