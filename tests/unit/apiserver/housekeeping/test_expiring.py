from __future__ import annotations

from datetime import UTC, datetime

import orjson

from portway.apiserver import clocks
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.housekeeping.expiring import EventExpiry
from portway.store.contract import Event, EventType, Key, Put, Record

from .conftest import World

START = datetime(2026, 1, 1, tzinfo=UTC)


class Time:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def body(revision: int) -> bytes:
    metadata = {"name": "e", "uid": "u", "resourceVersion": str(revision), "creationTimestamp": clocks.stamp(START)}
    return orjson.dumps({"apiVersion": "v1", "kind": "Event", "metadata": metadata})


async def written(world: World, name: str, expect: int = 0) -> Record:
    key = Key("events", "root", "default", name)
    [record] = await world.cache.commit([Put(key, body, expect)])
    return record


def names(world: World) -> set[str]:
    return {record.key.name for record in world.cache.all() if record.key.resource == "events"}


async def test_events_go_an_hour_after_they_were_last_written(world: World) -> None:
    await world.pause()
    time = Time()
    expiry = EventExpiry(Editor(world.server.context.storage, lambda: START), lambda: START, monotonic=time.monotonic)
    first, second = await written(world, "a"), await written(world, "b")
    tick = [*expiry.observe(Event(EventType.ADDED, first, None)), *expiry.observe(Event(EventType.ADDED, second, None))]
    assert len(tick) == 1
    time.seconds = 3000
    again = await written(world, "a", first.revision)
    expiry.observe(Event(EventType.MODIFIED, again, first.value, first.revision))
    assert await expiry.work(tick[0]) == 60
    assert names(world) == {"a", "b"}
    time.seconds = 3601
    await expiry.work(tick[0])
    assert names(world) == {"a"}
    time.seconds = 6601
    await expiry.work(tick[0])
    assert names(world) == set()


async def test_events_found_at_the_start_are_as_old_as_they_say(world: World) -> None:
    await world.pause()
    record = await written(world, "old")
    editor = Editor(world.server.context.storage, lambda: START)
    expiry = EventExpiry(editor, lambda: datetime(2026, 1, 1, 2, tzinfo=UTC), monotonic=Time().monotonic)
    [tick] = expiry.load(record)
    await expiry.work(tick)
    assert names(world) == set()
