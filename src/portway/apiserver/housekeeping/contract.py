"""What an engine is, and the work list that drives it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from portway.apiserver.housekeeping.editing import Editor
from portway.store.contract import Event, Key, Record


class Engine(Protocol):
    name: str

    def load(self, record: Record) -> Iterable[Key]:
        """An object that is there at the start; answers what to look at."""

    def observe(self, event: Event) -> Iterable[Key]:
        """A change; answers what to look at."""

    async def work(self, key: Key) -> float | None:
        """Look at one object and do what is to be done; seconds after which to look again, if that is needed."""


__all__ = ["Editor", "Engine"]
