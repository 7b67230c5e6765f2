"""Durations as kubectl shows them (``5m30s``, ``3d``). Source: k8s.io/apimachinery pkg/util/duration HumanDuration."""

from __future__ import annotations

import datetime

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 86400 * 365


def since(timestamp: object, now: datetime.datetime) -> str:
    """The age of an RFC 3339 timestamp; ``<unknown>`` when absent, ``<invalid>`` when it is none."""
    if not timestamp:
        return "<unknown>"
    if not isinstance(timestamp, str):
        return "<invalid>"
    try:
        then = datetime.datetime.fromisoformat(timestamp)
    except ValueError:
        return "<invalid>"
    if then.tzinfo is None:
        return "<invalid>"
    return human((now - then).total_seconds())


def human(duration: float) -> str:
    """A duration in seconds, shortened the more the longer it is. A clock that differs by a second is forgiven."""
    seconds = int(duration)
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 10 * _MINUTE:
        return _two(seconds, _MINUTE, "m", 1, "s")
    if seconds < 3 * _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 8 * _HOUR:
        return _two(seconds, _HOUR, "h", _MINUTE, "m")
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    if seconds < 8 * _DAY:
        return _two(seconds, _DAY, "d", _HOUR, "h")
    if seconds < 2 * _YEAR:
        return f"{seconds // _DAY}d"
    if seconds < 8 * _YEAR:
        return _two(seconds, _YEAR, "y", _DAY, "d")
    return f"{seconds // _YEAR}y"


def _two(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{large_unit}{rest}{small_unit}" if rest else f"{seconds // large}{large_unit}"
