"""What many objects have in common is kept once: values of one resource often end alike.

A thousand bindings of one export, the same certificate in every namespace, a fleet of equal resources: names, uids and
times stand at the beginning of stored bytes, the rest is the same. Used by whoever keeps many records in memory.
"""

from __future__ import annotations

from portway.store.contract import Record

LEAST = 128
"""Bytes of an end worth sharing: less is not more than what the reference to it costs."""
MOST = 8
"""Ends remembered for each resource, the longest first; what is forgotten stays with the records that have it."""


class Ends:
    """The ends seen so far. Costs a comparison or two a record, and no more memory than ``MOST`` values a resource."""

    __slots__ = ("_known", "_last")

    def __init__(self) -> None:
        self._known: dict[str, list[bytes]] = {}
        self._last: dict[str, bytes] = {}

    def share(self, record: Record) -> Record:
        """The same record, with an end that others of its resource have too where there is one."""
        resource = record.key.resource
        known = self._known.setdefault(resource, [])
        if record.end:
            _remember(known, record.end)
            return record
        value = record.value
        end = next((end for end in known if value.endswith(end)), b"") or self._found(resource, value)
        return Record(record.key, record.revision, value[: -len(end)], end) if end else record

    def _found(self, resource: str, value: bytes) -> bytes:
        last = self._last.get(resource, b"")
        self._last[resource] = value
        end = common_end(last, value)
        if end:
            _remember(self._known[resource], end)
        return end


def common_end(one: bytes, other: bytes) -> bytes:
    """The longest end of both; empty when it is shorter than LEAST."""
    if len(one) < LEAST or one[-LEAST:] != other[-LEAST:]:
        return b""
    same, differing = LEAST, min(len(one), len(other)) + 1
    while differing - same > 1:
        middle = (same + differing) // 2
        if one[-middle:] == other[-middle:]:
            same = middle
        else:
            differing = middle
    return other[-same:]


def _remember(known: list[bytes], end: bytes) -> None:
    if end in known:
        return
    if len(known) >= MOST:
        known.pop(0)
    known.append(end)
    known.sort(key=len, reverse=True)
