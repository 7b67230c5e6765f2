"""What an engine is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from portway.store.contract import Event, Key, Record


class Engine(Protocol):
    """Told of every object and every change, it answers which keys to look at; ``work`` then looks at one."""

    name: str

    def load(self, record: Record) -> Iterable[Key]:
        """An object that is there at the start."""

    def observe(self, event: Event) -> Iterable[Key]:
        """A change, in order and without gap."""

    async def work(self, key: Key, /) -> float | None:
        """Do what is to be done; seconds after which to look again, None when only a change brings news.

        Level-triggered: called with no order and maybe for nothing, never twice at once for one key.
        """
