"""Ends that records of one resource have in common are kept once."""

from __future__ import annotations

from portway.store.contract import Key, Record
from portway.store.sharing import LEAST, MOST, Ends

LONG = b'"},"spec":{"text":"' + b"x" * LEAST + b'"}}'


def _record(name: str, value: bytes, resource: str = "widgets") -> Record:
    return Record(Key(resource, "root", "default", name), 1, value)


def test_from_the_second_record_on_an_equal_end_is_one_object() -> None:
    ends = Ends()
    kept = [ends.share(_record(name, b'{"name":"' + name.encode() + LONG)) for name in ("a", "b", "c")]
    assert [record.value for record in kept] == [b'{"name":"%s' % name + LONG for name in (b"a", b"b", b"c")]
    assert [record.end for record in kept] == [b"", LONG, LONG]
    assert kept[1].end is kept[2].end


def test_a_record_is_equal_to_what_it_was_made_from() -> None:
    ends = Ends()
    given = [_record(name, name.encode() + LONG) for name in ("a", "b")]
    kept = [ends.share(record) for record in given]
    assert kept == given
    assert {hash(record) for record in kept} == {hash(record) for record in given}
    assert kept[1] != _record("b", b"c" + LONG)


def test_short_ends_and_ends_of_other_resources_are_not_shared() -> None:
    ends = Ends()
    short = [ends.share(_record(name, name.encode() + b"x" * (LEAST - 1))) for name in ("a", "b")]
    others = [ends.share(_record("a", b"a" + LONG, resource)) for resource in ("one", "two")]
    assert [record.end for record in (*short, *others)] == [b""] * 4


def test_an_end_that_came_with_a_record_is_used_for_the_next() -> None:
    ends = Ends()
    ends.share(Record(Key("widgets", "root", "", "a"), 1, b"a", LONG))
    assert ends.share(_record("b", b"b" + LONG)).end == LONG


def test_what_is_remembered_is_bounded_and_the_longest_end_goes_first() -> None:
    ends = Ends()
    for number in range(MOST + 3):
        for name in (b"a", b"b"):
            ends.share(_record("n", name + LONG.replace(b"text", b"text-%02d" % number) + b"y" * number))
    longest = ends.share(_record("n", b"c" + LONG.replace(b"text", b"text-%02d" % (MOST + 1)) + b"y" * (MOST + 1)))
    shortest = ends.share(_record("n", b"c" + LONG.replace(b"text", b"text-00")))
    assert (longest.end, len(shortest.end)) == (b"", len(LONG) + 3)
