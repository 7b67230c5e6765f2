"""Substring search over entities: every word must occur; exact names come first."""

from __future__ import annotations

from portway.index.entities import Entity


class Search:
    """``Search("orders-api").score(entity)``: 0 = no match, higher is better; an empty search matches all alike."""

    def __init__(self, text: str) -> None:
        self._phrase = text.strip().strip("\"'").lower()
        self._words = tuple(word.strip("\"'") for word in self._phrase.split() if word.strip("\"'"))

    def score(self, entity: Entity) -> int:
        if not self._words:
            return 1
        for word in self._words:
            if word not in entity.text:
                return 0
        name, title = entity.name.lower(), entity.title.lower()
        if self._phrase in (name, str(entity.ref)):
            return 100
        if self._phrase == title:
            return 90
        if name.startswith(self._phrase) or title.startswith(self._phrase):
            return 60
        if self._phrase in name or self._phrase in title:
            return 40
        return 20 if all(word in name or word in title for word in self._words) else 10
