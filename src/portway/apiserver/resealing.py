"""After a new master key: what the store has under older ones, or plainly, is written again, while all goes on.

A value written again gets a new resourceVersion, as with upstream's storage migration; nothing else changes in it.
"""

from __future__ import annotations

import asyncio
import logging

from portway.apiserver import objects
from portway.apiserver.sealing import Envelope, SealError
from portway.apiserver.storing import SEALED, Storage
from portway.store.caching import Cache
from portway.store.contract import Conflict, Key, Put, StoreError

LOOK_SECONDS = 2.0
AT_ONCE = 64

log = logging.getLogger(__name__)


class Resealing:
    def __init__(self, cache: Cache, storage: Storage, envelope: Envelope) -> None:
        self._cache = cache
        self._storage = storage
        self._envelope = envelope
        self._done = b""

    async def run(self) -> None:
        """Look for a new key, until cancelled."""
        while True:
            try:
                await self.look()
            except (StoreError, OSError) as error:
                log.warning("encrypting anew is tried again", extra={"error": str(error)})
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Everything that is not under the primary key, once for each new key."""
        primary = self._envelope.keyring.primary().id
        if primary == self._done:
            return
        keys = [
            record.key
            for record in self._cache.all()
            if record.key.resource in SEALED and not self._envelope.is_current(record.value)
        ]
        whole = True
        for start in range(0, len(keys), AT_ONCE):
            answers = await asyncio.gather(*(self._write_again(key) for key in keys[start : start + AT_ONCE]))
            whole = whole and all(answers)
        if keys:
            log.info("secrets were encrypted with the current key", extra={"count": len(keys)})
        if whole and self._envelope.keyring.primary().id == primary:
            self._envelope.keyring.settled()
            self._done = primary

    async def _write_again(self, key: Key) -> bool:
        record = self._cache.get(key)
        if record is None or self._envelope.is_current(record.value):
            return True
        try:
            manifest = objects.decode(self._storage.opened(record).value)
            await self._storage.commit([Put(key, objects.encoder(manifest, key.cluster), record.revision)])
        except Conflict:
            return True  # whoever wrote it has sealed it with the key of today, or the next look finds it
        except SealError as error:
            log.error("a secret cannot be read any more", extra={"error": str(error)})
            return False
        return True
