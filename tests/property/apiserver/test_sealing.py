"""Whatever is sealed comes back whole, in its place only, and shows nothing."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portway.apiserver.sealing import Envelope, MasterKey, SealError
from portway.store.contract import Key

KEYS = st.builds(Key, *(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20) for _ in range(4)))


class Ring:
    """A keyring in memory; the newest key comes first."""

    def __init__(self) -> None:
        self.keys: list[MasterKey] = []
        self.rotate()

    def rotate(self) -> None:
        self.keys.insert(0, MasterKey(os.urandom(8), os.urandom(32)))

    def primary(self) -> MasterKey:
        return self.keys[0]

    def find(self, identifier: bytes) -> MasterKey | None:
        return next((key for key in self.keys if key.id == identifier), None)

    def settled(self) -> None:
        pass


@given(KEYS, st.binary(max_size=3000), st.integers(0, 2), st.booleans())
def test_a_value_comes_back_after_any_rotation_and_in_any_process(
    key: Key, value: bytes, rotations: int, restarted: bool
) -> None:
    ring = Ring()
    envelope = Envelope(ring)
    sealed = envelope.seal(key, value)
    for _ in range(rotations):
        ring.rotate()
    reader = Envelope(ring) if restarted else envelope
    assert reader.open(key, sealed) == value
    assert reader.is_current(sealed) is (rotations == 0)
    assert len(value) < 8 or value not in sealed


@given(KEYS, KEYS, st.binary(max_size=100), st.data())
def test_a_value_that_was_moved_or_changed_is_refused(key: Key, other: Key, value: bytes, data: st.DataObject) -> None:
    envelope = Envelope(Ring())
    sealed = envelope.seal(key, value)
    if other != key:
        with pytest.raises(SealError):
            envelope.open(other, sealed)
    place = data.draw(st.integers(8, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        envelope.open(key, bytes(changed))
    with pytest.raises(SealError):
        envelope.open(key, sealed[: data.draw(st.integers(8, len(sealed) - 1))])


@given(KEYS, st.binary(max_size=100))
def test_without_the_key_nothing_is_read(key: Key, value: bytes) -> None:
    sealed = Envelope(Ring()).seal(key, value)
    with pytest.raises(SealError, match="not in the key file"):
        Envelope(Ring()).open(key, sealed)


@given(KEYS, st.binary(max_size=100))
def test_equal_values_look_different(key: Key, value: bytes) -> None:
    envelope = Envelope(Ring())
    assert envelope.seal(key, value) != envelope.seal(key, value)


def test_what_is_not_sealed_is_read_as_it_is() -> None:
    assert Envelope(Ring()).open(Key("secrets", "root", "default", "x"), b'{"kind":"Secret"}') == b'{"kind":"Secret"}'
