from __future__ import annotations

import datetime

import pytest

from portway.krm import ages

NOW = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
M, H, D, Y = 60, 3600, 86400, 86400 * 365


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2.5, "<invalid>"),
        (-1, "0s"),
        (0.4, "0s"),
        (119, "119s"),
        (2 * M, "2m"),
        (2 * M + 5, "2m5s"),
        (10 * M + 5, "10m"),
        (179 * M, "179m"),
        (3 * H, "3h"),
        (7 * H + 59 * M, "7h59m"),
        (8 * H + 59 * M, "8h"),
        (47 * H, "47h"),
        (2 * D, "2d"),
        (2 * D + 3 * H, "2d3h"),
        (8 * D + 3 * H, "8d"),
        (729 * D, "729d"),
        (2 * Y, "2y"),
        (3 * Y + 5 * D, "3y5d"),
        (8 * Y + 5 * D, "8y"),
    ],
)
def test_durations_are_shown_as_kubectl_does(seconds: float, text: str) -> None:
    assert ages.human(seconds) == text


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        ("2026-01-02T11:55:00Z", "5m"),
        ("2026-01-02T12:55:00.5+01:00", "4m59s"),
        (None, "<unknown>"),
        ("", "<unknown>"),
        ("yesterday", "<invalid>"),
        ("2026-01-02T11:55:00", "<invalid>"),
        (5, "<invalid>"),
    ],
)
def test_the_age_of_a_timestamp(timestamp: object, text: str) -> None:
    assert ages.since(timestamp, NOW) == text
