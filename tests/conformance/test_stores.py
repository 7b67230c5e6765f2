"""What every store promises (``store.contract.Store``), whatever its SQL dialect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.revisions import counting

from portway.store import compacting
from portway.store.clocks import RevisionClock
from portway.store.contract import (
    Compacted,
    Conflict,
    Delete,
    Encode,
    Entry,
    Event,
    EventType,
    Key,
    Put,
    Record,
    Store,
)
from portway.store.postgres import PostgresStore
from portway.store.sqlite import SqliteStore

Reopen = Callable[[], Awaitable[Store]]

KEY = Key("configmaps", "root", "default", "settings")
OTHER = Key("secrets", "abc", "", "other")


class OpenStore:
    """A store on a fresh state, and again on the same state after ``reopen``."""

    def __init__(self, make: Callable[[], Store]) -> None:
        self._make = make
        self.store = make()

    async def reopen(self) -> tuple[int, list[Record]]:
        await self.store.close()
        self.store = self._make()
        revision, records = await self.store.load()
        return revision, sorted(records, key=lambda record: record.key)


@pytest.fixture(params=["sqlite", "postgres"])
def make_at(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[RevisionClock], Store]:
    if request.param == "sqlite":
        return lambda clock: SqliteStore(tmp_path / "store.db", clock=clock)
    dsn = request.getfixturevalue("database")
    return lambda clock: PostgresStore(dsn, clock=clock)


@pytest.fixture
async def opened(make_at: Callable[[RevisionClock], Store]) -> AsyncIterator[OpenStore]:
    opened = OpenStore(lambda: make_at(counting()))
    await opened.store.load()
    yield opened
    await opened.store.close()


def body(text: str) -> Encode:
    return lambda revision: f'{{"at":{revision},"text":"{text}"}}'.encode()


def value(revision: int, text: str) -> bytes:
    return body(text)(revision)


async def test_a_new_store_is_empty_at_revision_zero(opened: OpenStore) -> None:
    assert await opened.reopen() == (0, [])


async def test_create_replace_and_delete_are_events_with_the_state_before(opened: OpenStore) -> None:
    answers = [
        await opened.store.commit([[Put(KEY, body("a"), 0)]]),
        await opened.store.commit([[Put(KEY, body("b"), 1)]]),
        await opened.store.commit([[Delete(KEY, body("gone"), 2)]]),
    ]
    expected = [
        Event(EventType.ADDED, Record(KEY, 1, value(1, "a")), None),
        Event(EventType.MODIFIED, Record(KEY, 2, value(2, "b")), value(1, "a"), 1),
        Event(EventType.DELETED, Record(KEY, 3, value(3, "gone")), value(2, "b"), 2),
    ]
    assert answers == [(before, [[event]]) for before, event in enumerate(expected)]
    assert await opened.store.events(0, 10) == expected


async def test_current_objects_and_revision_survive_reopening(opened: OpenStore) -> None:
    await opened.store.commit([[Put(KEY, body("a"), 0)], [Put(OTHER, body("b"), 0)]])
    await opened.store.commit([[Put(KEY, body("c"), 1)]])
    await opened.store.commit([[Delete(OTHER, body("x"), 2)]])
    assert await opened.reopen() == (4, [Record(KEY, 3, value(3, "c"))])


@pytest.mark.parametrize(
    ("change", "actual", "reason"),
    [
        (Put(KEY, body("x"), 0), Record(KEY, 1, value(1, "a")), "creating what exists"),
        (Put(KEY, body("x"), 7), Record(KEY, 1, value(1, "a")), "replacing another revision"),
        (Delete(KEY, body("x"), 7), Record(KEY, 1, value(1, "a")), "deleting another revision"),
        (Put(OTHER, body("x"), 1), None, "replacing what is absent"),
        (Delete(OTHER, body("x"), 1), None, "deleting what is absent"),
        (Delete(OTHER, body("x"), 0), None, "deleting what is expected to be absent"),
    ],
    ids=lambda param: param.replace(" ", "-") if isinstance(param, str) else None,
)
async def test_a_change_that_meets_another_state_is_a_conflict(
    opened: OpenStore, change: Put | Delete, actual: Record | None, reason: str
) -> None:
    await opened.store.commit([[Put(KEY, body("a"), 0)]])
    _, [answer] = await opened.store.commit([[change]])
    assert isinstance(answer, Conflict), reason
    assert (answer.key, answer.actual) == (change.key, actual)
    assert (await opened.reopen())[0] == 1


async def test_a_request_is_applied_whole_or_not_at_all(opened: OpenStore) -> None:
    _, (refused, granted) = await opened.store.commit(
        [[Put(KEY, body("a"), 0), Put(OTHER, body("b"), 9)], [Put(OTHER, body("c"), 0), Put(KEY, body("d"), 0)]]
    )
    assert isinstance(refused, Conflict)
    assert isinstance(granted, list)
    assert [event.record for event in granted] == [Record(OTHER, 1, value(1, "c")), Record(KEY, 2, value(2, "d"))]


class Held:
    """A state in memory that hears of commits when it is told."""

    def __init__(self) -> None:
        self.revision = 0
        self._records: dict[Key, Record] = {}

    def get(self, key: Key) -> Record | None:
        return self._records.get(key)

    def hear(self, events: list[Event]) -> None:
        for event in events:
            self.revision = event.record.revision
            self._records[event.record.key] = event.record


async def _granted(store: Store, *changes: Put | Delete) -> list[Event]:
    _, [answer] = await store.commit([list(changes)])
    assert isinstance(answer, list)
    return answer


async def test_a_trusted_state_is_decided_by_while_it_is_the_newest_and_looked_behind_when_not(
    opened: OpenStore,
) -> None:
    held = Held()
    opened.store.trust(held)
    first = await _granted(opened.store, Put(KEY, body("a"), 0))
    held.hear(first)
    second = await _granted(opened.store, Put(KEY, body("b"), 1), Put(OTHER, body("c"), 0))
    third = await _granted(opened.store, Put(KEY, body("d"), 2))  # of which the state has not heard yet
    _, [refused] = await opened.store.commit([[Put(KEY, body("e"), 1)]])
    held.hear([*second, *third])
    _, [taken] = await opened.store.commit([[Put(OTHER, body("f"), 0)]])
    assert [event.previous for event in (*first, *second, *third)] == [None, value(1, "a"), None, value(2, "b")]
    assert isinstance(refused, Conflict)
    assert refused.actual == Record(KEY, 4, value(4, "d"))
    assert isinstance(taken, Conflict)
    assert taken.actual == Record(OTHER, 3, value(3, "c"))
    assert await opened.reopen() == (4, [Record(KEY, 4, value(4, "d")), Record(OTHER, 3, value(3, "c"))])


async def test_commits_at_once_on_a_trusted_state_do_not_take_the_same_revision(opened: OpenStore) -> None:
    opened.store.trust(Held())
    names = [KEY._replace(name=name) for name in "abcdef"]
    answers = await asyncio.gather(*(_granted(opened.store, Put(key, body("x"), 0)) for key in names))
    assert sorted(event.record.revision for answer in answers for event in answer) == [1, 2, 3, 4, 5, 6]
    assert (await opened.reopen())[0] == 6


async def test_two_creates_of_one_name_in_one_transaction_make_one_object(opened: OpenStore) -> None:
    _, (first, second) = await opened.store.commit([[Put(KEY, body("a"), 0)], [Put(KEY, body("b"), 0)]])
    assert isinstance(first, list)
    assert isinstance(second, Conflict)
    assert second.actual == first[0].record


async def test_changes_of_one_request_build_on_each_other(opened: OpenStore) -> None:
    await opened.store.commit([[Put(KEY, body("a"), 0), Put(KEY, body("b"), 1), Delete(KEY, body("c"), 2)]])
    assert [event.type for event in await opened.store.events(0, 10)] == ["ADDED", "MODIFIED", "DELETED"]
    assert await opened.reopen() == (3, [])


async def test_a_large_batch_gets_revisions_without_holes(opened: OpenStore) -> None:
    keys = [Key("configmaps", "root", "default", f"n{number}") for number in range(333)]
    _, answers = await opened.store.commit([[Put(key, body("a"), 0)] for key in keys])
    assert [event.record.revision for answer in answers if isinstance(answer, list) for event in answer] == list(
        range(1, 334)
    )
    assert [event.record.key for event in await opened.store.events(0, 1000)] == keys


async def test_a_failing_encoder_leaves_nothing_behind(opened: OpenStore) -> None:
    def fail(_revision: int) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await opened.store.commit([[Put(KEY, body("a"), 0)], [Put(OTHER, fail, 0)]])
    _, [answer] = await opened.store.commit([[Put(KEY, body("b"), 0)]])
    assert answer == [Event(EventType.ADDED, Record(KEY, 1, value(1, "b")), None)]


async def test_events_are_read_after_a_revision_up_to_a_limit(opened: OpenStore) -> None:
    await opened.store.commit([[Put(KEY._replace(name=name), body(name), 0)] for name in "abcd"])
    assert [event.record.key.name for event in await opened.store.events(1, 2)] == ["b", "c"]
    assert await opened.store.events(4, 2) == []


async def test_values_may_be_any_bytes(opened: OpenStore) -> None:
    sealed = bytes(range(256))
    await opened.store.commit([[Put(KEY, lambda _: sealed, 0)]])
    _, [replaced] = await opened.store.commit([[Put(KEY, lambda _: b"", 1)]])
    assert isinstance(replaced, list)
    assert replaced[0].previous == sealed
    assert await opened.reopen() == (2, [Record(KEY, 2, b"")])


async def test_any_text_and_empty_names_are_kept_as_they_are(opened: OpenStore) -> None:
    key = Key("things.example.org", "zürich", "", 'quote"and\\slash and 漢字')
    text = '{"a":"\\u0000 é 漢字 \\" "}'.encode()
    _, [answer] = await opened.store.commit([[Put(key, lambda _: text, 0)]])
    _, [replaced] = await opened.store.commit([[Put(key, lambda _: b"{}", 1)]])
    assert isinstance(answer, list)
    assert isinstance(replaced, list)
    assert (answer[0].record, replaced[0].previous) == (Record(key, 1, text), text)


async def test_compaction_forgets_the_past_and_keeps_the_present(opened: OpenStore) -> None:
    await opened.store.commit([[Put(KEY, body("a"), 0)], [Put(OTHER, body("o"), 0)]])
    await opened.store.commit([[Put(KEY, body("b"), 1), Delete(OTHER, body("x"), 2), Put(KEY, body("c"), 3)]])
    assert await opened.store.compact(4) == 4
    with pytest.raises(Compacted) as caught:
        await opened.store.events(3, 10)
    assert (caught.value.asked, caught.value.oldest) == (3, 4)
    assert await opened.store.events(4, 10) == [
        Event(EventType.MODIFIED, Record(KEY, 5, value(5, "c")), value(3, "b"), 3)
    ]
    assert await opened.reopen() == (5, [Record(KEY, 5, value(5, "c"))])


async def test_compacting_everything_never_gives_a_revision_twice(opened: OpenStore) -> None:
    await opened.store.commit([[Put(KEY, body("a"), 0)]])
    await opened.store.commit([[Delete(KEY, body("b"), 1)]])
    assert await opened.store.compact(99) == 2
    assert await opened.reopen() == (2, [])
    _, [answer] = await opened.store.commit([[Put(KEY, body("a"), 0)]])
    assert isinstance(answer, list)
    assert answer[0].record.revision == 3


async def test_marks_count_the_events_that_revisions_do_not(opened: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "MARK_EVERY", 10)
    keys = [KEY._replace(name=f"n{number}") for number in range(35)]
    for key in keys[:25]:
        await opened.store.commit([[Put(key, body("a"), 0)]])
    await opened.store.commit([[Put(key, body("a"), 0)] for key in keys[25:]])
    assert [await opened.store.mark_before(events) for events in (0, 5, 6, 15, 16, 25, 26, 99)] == [
        *(35, 20, 20, 20, 10, 10, 0, 0)
    ]
    assert await opened.store.compact(22) == 22
    await opened.reopen()
    assert [await opened.store.mark_before(events) for events in (0, 1, 99)] == [35, 0, 0]
    await opened.store.commit([[Put(KEY, body("a"), 0)]])
    await opened.store.commit([[Put(OTHER._replace(name=f"n{at}"), body("a"), 0)] for at in range(6)])
    assert [await opened.store.mark_before(events) for events in (0, 1, 7, 8)] == [42, 35, 35, 0]


async def test_revisions_go_up_with_the_time_and_never_back(make_at: Callable[[RevisionClock], Store]) -> None:
    now = [5_000]
    store = make_at(RevisionClock(lambda: now[0]))
    await store.load()
    revisions: list[int] = []
    for number, moment in enumerate((5_000, 5_000, 9_000, 4_000, 4_500)):
        now[0] = moment
        [event] = await _granted(store, Put(OTHER._replace(name=f"n{number}"), body("a"), 0))
        revisions.append(event.record.revision)
    await store.close()
    assert revisions == [5_000, 5_001, 9_001, 9_002, 9_502]
    behind = make_at(RevisionClock(lambda: 3))
    assert (await behind.load())[0] == 9_502
    [event] = await _granted(behind, Put(KEY, body("a"), 0))
    assert event.record.revision == 9_503
    assert [found.record.revision for found in await behind.events(5_000, 10)] == [*revisions[1:], 9_503]
    await behind.close()


async def test_compacting_again_or_less_changes_nothing(opened: OpenStore) -> None:
    await opened.store.commit([[Put(KEY, body("a"), 0)], [Put(OTHER, body("b"), 0)]])
    assert [await opened.store.compact(revision) for revision in (2, 1, 2)] == [2, 2, 2]


async def test_history_tells_who_changed_what_through_deletion_and_creation_anew(opened: OpenStore) -> None:
    await opened.store.commit([[Put(OTHER, body("o"), 0, "eve")], [Put(KEY, body("a"), 0, "ada")]])
    await opened.store.commit([[Put(KEY, body("b"), 2, "bob")]])
    await opened.store.commit([[Delete(KEY, body("x"), 3, "cy")]])
    await opened.store.commit([[Put(KEY, body("c"), 0)]])
    entries = await opened.store.history(KEY, 10)
    assert [(entry.event.type, entry.event.record.revision, entry.user) for entry in entries] == [
        ("ADDED", 2, "ada"),
        ("MODIFIED", 3, "bob"),
        ("DELETED", 4, "cy"),
        ("ADDED", 5, ""),
    ]
    assert entries[1].event == Event(EventType.MODIFIED, Record(KEY, 3, value(3, "b")), value(2, "a"), 2)
    assert [entry.event.record.revision for entry in await opened.store.history(KEY, 2)] == [4, 5]
    assert all(isinstance(entry, Entry) and entry.written > 1_600_000_000_000 for entry in entries)


async def test_history_ends_where_the_log_was_compacted(opened: OpenStore) -> None:
    await opened.store.commit([[Put(KEY, body("a"), 0), Put(KEY, body("b"), 1), Put(KEY, body("c"), 2)]])
    await opened.store.compact(2)
    assert [entry.event.record.revision for entry in await opened.store.history(KEY, 10)] == [2, 3]
    assert await opened.store.history(OTHER, 10) == []
