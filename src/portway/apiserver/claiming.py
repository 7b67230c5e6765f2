"""Tells the watches of an export's view when consumers accept or withdraw claims: what may be seen changed."""

from __future__ import annotations

import asyncio

from portway.apiserver.exporting import Binding, Claim
from portway.store.contract import Key


class ClaimChanges:
    def __init__(self) -> None:
        self._claims: dict[tuple[str, str], tuple[str, tuple[Claim, ...]]] = {}
        """Name of the export and accepted claims, of the bindings that have any."""
        self._events: dict[str, asyncio.Event] = {}

    def note(self, key: Key, binding: Binding | None) -> None:
        """A binding as it is now; None when it is gone."""
        place = (key.cluster, key.name)
        before = self._claims.pop(place, None)
        after = (binding.reference.name, binding.claims) if binding is not None and binding.claims else None
        if after is not None:
            self._claims[place] = after
        if before == after:
            return
        for changed in (before, after):
            event = self._events.pop(changed[0], None) if changed is not None else None
            if event is not None:
                event.set()

    def next(self, export: str) -> asyncio.Event:
        """Set at the next change of claims on an export of that name."""
        return self._events.setdefault(export, asyncio.Event())
