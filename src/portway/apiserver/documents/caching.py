"""Memory for pure functions of served resources, keyed by identity: a ``Served`` holds dicts, so it has no hash.

Kept entries hold on to their arguments, so that an identity is never taken over by another object.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from portway.krm.served import Served

R = TypeVar("R")


class Remembered(Generic[R]):
    """The function with its results for the ``maxsize`` most recently used sequences of the very same resources."""

    def __init__(self, function: Callable[[Sequence[Served]], R], maxsize: int) -> None:
        self._function = function
        self._maxsize = maxsize
        self._kept: OrderedDict[tuple[int, ...], tuple[Sequence[Served], R]] = OrderedDict()
        self._lock = Lock()

    def __call__(self, served: Sequence[Served], /) -> R:
        key = tuple(map(id, served))
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found[1]
        result = self._function(served)
        with self._lock:
            self._kept[key] = (tuple(served), result)
            while len(self._kept) > self._maxsize:
                self._kept.popitem(last=False)
        return result


def by_identity(maxsize: int) -> Callable[[Callable[[Sequence[Served]], R]], Remembered[R]]:
    def decorate(function: Callable[[Sequence[Served]], R]) -> Remembered[R]:
        return Remembered(function, maxsize)

    return decorate
