"""Records of one resource in key order, so that any range (all, one cluster, one namespace) is a few slices.

Keys and records lie in parallel chunks: a change moves at most one chunk, a range is read without touching single
objects. 16 bytes an object. Not thread-safe.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

from portway.store.contract import Key, Record

CHUNK = 1024
"""A chunk is split when it has twice as many records."""

Bound = tuple[str, ...]
"""A prefix of a key; it sorts before all keys that begin with it."""


def bounds(resource: str, cluster: str | None, namespace: str | None) -> tuple[Bound, Bound]:
    """Lower (inclusive) and upper (exclusive) bound of a range. A namespace counts only with a cluster.

    No name contains NUL, so ``name + NUL`` is the least string above it that is no name.
    """
    if cluster is None:
        return (resource,), (resource + "\0",)
    if namespace is None:
        return (resource, cluster), (resource, cluster + "\0")
    return (resource, cluster, namespace), (resource, cluster, namespace + "\0")


class SortedRecords:
    """``put``, ``remove`` and range reads. A range is given by bounds as of ``bounds``."""

    __slots__ = ("_chunk", "_keys", "_length", "_lows", "_records")

    def __init__(self, records: Iterable[Record] = (), *, chunk: int = CHUNK) -> None:
        ordered = sorted(records, key=lambda record: record.key)
        self._chunk = chunk
        self._records = [ordered[start : start + chunk] for start in range(0, len(ordered), chunk)] or [[]]
        self._keys = [[record.key for record in chunk] for chunk in self._records]
        self._lows: list[Bound] = [keys[0] for keys in self._keys[1:]]
        """First keys of all chunks but the first."""
        self._length = len(ordered)

    def __len__(self) -> int:
        return self._length

    def put(self, record: Record) -> None:
        """Insert, or replace the record of the same key."""
        chunk = bisect_right(self._lows, record.key)
        keys = self._keys[chunk]
        at = bisect_left(keys, record.key)
        if at < len(keys) and keys[at] == record.key:
            self._records[chunk][at] = record
            keys[at] = record.key  # the older equal key may go
            return
        keys.insert(at, record.key)
        self._records[chunk].insert(at, record)
        self._length += 1
        if len(keys) >= 2 * self._chunk:
            self._split(chunk)

    def remove(self, key: Key) -> None:
        """Absent is fine."""
        chunk = bisect_right(self._lows, key)
        keys = self._keys[chunk]
        at = bisect_left(keys, key)
        if at == len(keys) or keys[at] != key:
            return
        del keys[at], self._records[chunk][at]
        self._length -= 1
        if not keys and len(self._keys) > 1:
            del self._keys[chunk], self._records[chunk]
            del self._lows[max(chunk - 1, 0)]

    def read(self, low: Bound, high: Bound, limit: int = 0) -> tuple[list[Record], int]:
        """Records from ``low`` to before ``high``, at most ``limit`` (0 = all), and how many more there are."""
        first, start = self._locate(low)
        last, end = self._locate(high)
        found: list[Record] = []
        total = 0
        for chunk in range(first, last + 1):
            low_at = start if chunk == first else 0
            high_at = end if chunk == last else len(self._keys[chunk])
            if high_at <= low_at:
                continue
            total += high_at - low_at
            if not limit or len(found) < limit:
                found += self._records[chunk][low_at:high_at]
        if limit and len(found) > limit:
            del found[limit:]
        return found, total - len(found)

    def _locate(self, bound: Bound) -> tuple[int, int]:
        chunk = bisect_left(self._lows, bound)
        return chunk, bisect_left(self._keys[chunk], bound)

    def _split(self, chunk: int) -> None:
        keys, records = self._keys[chunk], self._records[chunk]
        half = self._chunk
        self._keys[chunk : chunk + 1] = [keys[:half], keys[half:]]
        self._records[chunk : chunk + 1] = [records[:half], records[half:]]
        insort(self._lows, keys[half])
