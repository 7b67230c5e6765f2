"""Tells the watches of an export's view when its consumers accept or withdraw claims: what may be seen changed."""

from __future__ import annotations

import asyncio

from portway.apiserver.exporting import Binding, Claim
from portway.apiserver.resources import Source
from portway.store.contract import Key


class ClaimChanges:
    def __init__(self) -> None:
        self._claims: dict[tuple[str, str], tuple[Source, tuple[Claim, ...]]] = {}
        """Export and accepted claims, of the bindings that have any."""
        self._events: dict[Source, asyncio.Event] = {}

    def note(self, key: Key, binding: Binding | None, source: Source | None) -> None:
        """A binding as it is now, with the export it names; None when it is gone."""
        place = (key.cluster, key.name)
        before = self._claims.pop(place, None)
        after = (source, binding.claims) if binding is not None and source is not None and binding.claims else None
        if after is not None:
            self._claims[place] = after
        if before == after:
            return
        for changed in (before, after):
            event = self._events.pop(changed[0], None) if changed is not None else None
            if event is not None:
                event.set()

    def next(self, source: Source) -> asyncio.Event:
        """Set at the next change of claims on the export."""
        return self._events.setdefault(source, asyncio.Event())
