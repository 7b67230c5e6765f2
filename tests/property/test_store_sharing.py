"""Sharing changes how values are kept, never what they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portway.store.contract import Key, Record
from portway.store.sharing import LEAST, Ends, common_end

_ENDS = st.sampled_from([b"", b"}", b"x" * LEAST, b"yx" * LEAST, b"x" * (2 * LEAST), b"z" + b"x" * LEAST])
_VALUES = st.tuples(st.binary(max_size=6), _ENDS).map(b"".join)


@given(st.lists(st.tuples(st.sampled_from("ab"), _VALUES)))
def test_records_come_back_as_they_went_in(given_values: list[tuple[str, bytes]]) -> None:
    ends = Ends()
    records = [Record(Key(resource, "c", "", "n"), at, value) for at, (resource, value) in enumerate(given_values)]
    kept = [ends.share(record) for record in records]
    assert [record.value for record in kept] == [value for _, value in given_values]
    assert [record.value for record in map(Ends().share, kept)] == [value for _, value in given_values]


@given(_VALUES, _VALUES)
def test_the_common_end_is_the_longest_there_is(one: bytes, other: bytes) -> None:
    longest = max((n for n in range(min(len(one), len(other)) + 1) if n == 0 or one[-n:] == other[-n:]), default=0)
    assert common_end(one, other) == (other[-longest:] if longest >= LEAST else b"")
