"""Envelope encryption of what the store keeps: AES-256-GCM under data keys, which travel wrapped under a master key.

A sealed value is ``MAGIC | id of the master key (8) | nonce (12) | wrapped data key (48) | nonce (12) | ciphertext``.
The ciphertext is bound to the object's key in the store, so that no value can be passed off as another's. Values from
before there was a seal are JSON, which MAGIC never begins.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portway.store.contract import Key

MAGIC = b"pwseal1\0"
USES = 1 << 28
"""Values under one data key: random nonces of 96 bits are safe for far more than this (2^32)."""
_HEAD = len(MAGIC) + 8 + 12 + 48
_REMEMBERED = 1024


class SealError(Exception):
    """A value cannot be opened. The message names it and says what is missing."""


class KeyMissing(SealError):
    """Its key is not here, or not here yet."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    id: bytes
    """8 random bytes."""
    key: bytes
    """32 random bytes."""


class Keyring(Protocol):
    """Where master keys are kept."""

    def primary(self) -> MasterKey:
        """The one to seal with; asked at each use, as it may be replaced at any time."""

    def find(self, identifier: bytes) -> MasterKey | None: ...

    def settled(self) -> None:
        """Nothing that is current is sealed with another key than the primary any more."""


@dataclass(slots=True)
class _DataKey:
    head: bytes
    cipher: AESGCM
    left: int = USES


class Envelope:
    """The ``Sealer`` of a keyring."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self._current: _DataKey | None = None
        self._ciphers: dict[bytes, AESGCM] = {}

    def seal(self, key: Key, value: bytes) -> bytes:
        current = self._data_key()
        current.left -= 1
        nonce = os.urandom(12)
        return current.head + nonce + current.cipher.encrypt(nonce, value, _place(key))

    def open(self, key: Key, sealed: bytes) -> bytes:
        """Raises SealError."""
        if not sealed.startswith(MAGIC):
            return sealed
        head = sealed[:_HEAD]
        cipher = self._ciphers.get(head)
        if cipher is None:
            cipher = self._unwrap(key, head)
        try:
            return cipher.decrypt(sealed[_HEAD : _HEAD + 12], sealed[_HEAD + 12 :], _place(key))
        except (InvalidTag, ValueError):
            raise SealError(f"{_named(key)} in the store was changed by somebody who has not its key") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether it is sealed with the primary key."""
        start = len(MAGIC)
        return sealed.startswith(MAGIC) and sealed[start : start + 8] == self.keyring.primary().id

    def _data_key(self) -> _DataKey:
        primary = self.keyring.primary()
        current = self._current
        if current is None or current.left <= 0 or not current.head.startswith(MAGIC + primary.id):
            fresh, nonce = os.urandom(32), os.urandom(12)
            begin = MAGIC + primary.id
            head = begin + nonce + AESGCM(primary.key).encrypt(nonce, fresh, begin)
            current = self._current = _DataKey(head, AESGCM(fresh))
            self._remember(head, current.cipher)
        return current

    def _unwrap(self, key: Key, head: bytes) -> AESGCM:
        begin, rest = head[: len(MAGIC) + 8], head[len(MAGIC) + 8 :]
        master = self.keyring.find(begin[len(MAGIC) :])
        if master is None:
            name = begin[len(MAGIC) :].hex()
            raise KeyMissing(f"{_named(key)} in the store is encrypted with key {name}, which is not in the key file")
        try:
            cipher = AESGCM(AESGCM(master.key).decrypt(rest[:12], rest[12:], begin))
        except (InvalidTag, ValueError):
            raise SealError(f"{_named(key)} in the store was changed by somebody who has not its key") from None
        self._remember(head, cipher)
        return cipher

    def _remember(self, head: bytes, cipher: AESGCM) -> None:
        if len(self._ciphers) >= _REMEMBERED:
            self._ciphers.clear()
        self._ciphers[head] = cipher


def _place(key: Key) -> bytes:
    return "\0".join(key).encode()


def _named(key: Key) -> str:
    where = f"{key.namespace}/{key.name}" if key.namespace else key.name
    return f"{key.resource} {where}"
