from __future__ import annotations

from portway.store.compacting import Horizon


def test_everything_younger_than_the_age_is_kept() -> None:
    horizon = Horizon(seconds=100, events=1_000)
    assert [horizon.note(now, revision) for now, revision in [(0, 5), (50, 9), (100, 20), (120, 21), (149, 22)]] == [
        0,
        0,
        5,
        5,
        5,
    ]
    assert horizon.note(150, 30) == 9
    assert horizon.note(1_000, 31) == 30


def test_no_more_than_the_number_of_events_is_kept() -> None:
    horizon = Horizon(seconds=100, events=10)
    assert horizon.note(0, 8) == 0
    assert horizon.note(1, 25) == 15
