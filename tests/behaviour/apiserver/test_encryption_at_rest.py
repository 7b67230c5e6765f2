"""Secrets in the store: nothing to see without the keys, and keys that change while all goes on."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.behaviour.apiserver.conftest import eventually

from portway.apiserver import storing
from portway.apiserver.app import ApiServer
from portway.apiserver.sealing import Envelope, SealError
from portway.apiserver.settings import Settings
from portway.bootstrap import keyrings
from portway.bootstrap.errors import StartError
from portway.client.inprocess import InProcessTransport
from portway.client.rest import RestClient
from portway.krm.identity import Resource
from portway.store import archives
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore
from portway.store.sqlite_archiving import SqliteArchiving

SECRETS = Resource("", "v1", "secrets", "Secret", namespaced=True)
WORD = "correct-horse-battery-staple"


@asynccontextmanager
async def _running(home: Path, *, sealed: bool = True) -> AsyncIterator[tuple[ApiServer, RestClient, Cache]]:
    cache = Cache(SqliteStore(home / "store.db"))
    await cache.start()
    sealer = Envelope(keyrings.open_keyring(home)) if sealed else None
    server = ApiServer(cache, Settings(), sealer=sealer)
    try:
        await server.start()
        yield server, RestClient(InProcessTransport(server), "root", server.boot_token), cache
    finally:
        await server.close()
        await cache.close()


def _secret(name: str) -> dict[str, Any]:
    note = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"stringData":{{"word":"{WORD}"}}}}'}
    return {"metadata": {"name": name, "annotations": note}, "stringData": {"word": WORD}}


async def _word(client: RestClient, name: str) -> str:
    secret = await client.get(SECRETS, name, "default")
    return base64.b64decode(secret["data"]["word"]).decode()


def _on_disk(home: Path) -> bytes:
    return b"".join(file.read_bytes() for file in home.glob("store.db*"))


async def test_the_store_shows_nothing_and_all_is_there_after_a_restart(tmp_path: Path) -> None:
    async with _running(tmp_path) as (_, client, _):
        await client.create(SECRETS, _secret("one"), "default")
        token = await client.get(
            SECRETS, (await client.list(SECRETS, "portway-system")).items[0]["metadata"]["name"], "portway-system"
        )
        assert b"one" in _on_disk(tmp_path), "names are no secrets"
        assert WORD.encode() not in _on_disk(tmp_path)
        assert base64.b64encode(WORD.encode()) not in _on_disk(tmp_path)
        assert token["data"]["key"].encode() not in _on_disk(tmp_path), "nor the keys that sign tokens"
    async with _running(tmp_path) as (_, client, _):
        assert await _word(client, "one") == WORD
    assert (tmp_path / "keys" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


async def test_a_copy_of_the_store_is_of_use_with_the_keys_only(tmp_path: Path) -> None:
    home, thief, backup = (tmp_path / name for name in ("home", "thief", "backup"))
    home.mkdir()
    async with _running(home) as (_, client, _):
        await client.create(SECRETS, _secret("one"), "default")
    for copy in (thief, backup):
        copy.mkdir()
        shutil.copy(home / "store.db", copy / "store.db")
    with pytest.raises(SealError, match="not in the key file"):
        async with _running(thief):
            pass
    shutil.copytree(home / "keys", backup / "keys")
    async with _running(backup) as (_, client, _):
        assert await _word(client, "one") == WORD


async def test_a_new_key_is_used_for_everything_while_requests_go_on(tmp_path: Path) -> None:
    async with _running(tmp_path) as (_, client, cache):
        for number in range(100):
            await client.create(SECRETS, _secret(f"s{number}"), "default")
        ring = keyrings.open_keyring(tmp_path)  # as the command does: another reader of the same file
        old = ring.primary().id
        ring.rotate()
        assert await _word(client, "s7") == WORD
        await client.create(SECRETS, _secret("later"), "default")

        async def settled() -> bool:
            return bool(ring.entries[0].settled)

        await eventually(settled, "all is encrypted with the new key")
        sealed = [record.value for record in cache.all() if record.key.resource == "secrets"]
        assert len(sealed) > 100
        assert not [value for value in sealed if value[8:16] == old]
        assert await _word(client, "s7") == WORD
        assert len(ring.forget()) == 1
        assert await _word(client, "s8") == WORD
    async with _running(tmp_path) as (_, client, _):
        assert await _word(client, "s99") == WORD


async def test_no_value_of_a_secret_is_ever_on_disk_in_no_log_and_no_backup(tmp_path: Path) -> None:
    """Whatever is done to it: the words of its whole life are looked for in all files, the write-ahead log too."""
    words = [f"{WORD}-{number}" for number in range(6)]

    def with_word(name: str, number: int) -> dict[str, Any]:
        return {"metadata": {"name": name}, "stringData": {"word": words[number]}}

    def shown(content: bytes) -> list[str]:
        forms = [word.encode() for word in words] + [base64.b64encode(word.encode()) for word in words]
        return [form.decode() for form in forms if form in content]

    async with _running(tmp_path) as (_, client, _):
        await client.create(SECRETS, with_word("changed", 0), "default")
        kept = await client.get(SECRETS, "changed", "default")
        await client.update(SECRETS, {**kept, "stringData": {"word": words[1]}})
        await client.patch(SECRETS, "changed", {"stringData": {"word": words[2]}}, "default")
        await client.apply(SECRETS, {**with_word("applied", 3), **_in_default("applied")}, manager="me")
        await client.create(SECRETS, with_word("deleted", 4), "default")
        await client.delete(SECRETS, "deleted", "default")
        await client.post("/api/v1/namespaces/default/secrets/deleted/undelete", {})
        assert shown(_on_disk(tmp_path)) == []
        ring = keyrings.open_keyring(tmp_path)
        ring.rotate()

        async def settled() -> bool:
            return bool(ring.entries[0].settled)

        await eventually(settled, "all is encrypted with the new key")
        await client.create(SECRETS, with_word("rotated", 5), "default")
        assert shown(_on_disk(tmp_path)) == []
        assert [await _word(client, name) for name in ("changed", "applied", "deleted", "rotated")] == words[2:]
        history = await client.read("/api/v1/namespaces/default/secrets/changed/history")
        assert shown(orjson.dumps(history)) == []
        archive = tmp_path / "portway.backup"
        async with SqliteArchiving(tmp_path / "store.db").snapshot() as snapshot:
            await archives.write(archive, snapshot, "2026-01-01T00:00:00Z")
    records = [kept.record for kept in archives.read(archive)]
    values = [record.value for record in records if record.key.resource == "secrets"]
    assert len(values) >= 4
    assert shown(b"".join(values) + archive.read_bytes() + _on_disk(tmp_path)) == []


def _in_default(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}}


async def test_secrets_from_before_encryption_are_encrypted_at_the_next_start(tmp_path: Path) -> None:
    async with _running(tmp_path, sealed=False) as (_, client, _):
        await client.create(SECRETS, _secret("one"), "default")
    assert base64.b64encode(WORD.encode()) in _on_disk(tmp_path)
    async with _running(tmp_path) as (_, client, cache):
        assert await _word(client, "one") == WORD

        async def all_sealed() -> bool:
            return all(r.value.startswith(b"pwseal1") for r in cache.all() if r.key.resource == "secrets")

        await eventually(all_sealed, "what was plain is encrypted")
        assert await _word(client, "one") == WORD


async def test_a_watch_waits_for_a_key_that_another_process_uses_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "KEY_SECONDS", 0.01)
    (tmp_path / "other").mkdir()
    async with _running(tmp_path) as (_, client, cache):
        other = keyrings.open_keyring(tmp_path / "other")  # of a machine that has not got the new key's file yet
        shutil.copy(tmp_path / "keys" / "secrets.json", other.file)
        storage = storing.Storage(cache, Envelope(other))
        watch: Any = storage.watch("secrets", "root", "default", cache.revision)
        keyrings.open_keyring(tmp_path).rotate()
        await client.create(SECRETS, _secret("late"), "default")
        arriving = asyncio.ensure_future(anext(watch))
        done, _ = await asyncio.wait([arriving], timeout=0.1)
        assert not done
        shutil.copy(tmp_path / "keys" / "secrets.json", other.file)
        event = await asyncio.wait_for(arriving, 20)
        assert WORD.encode() in event.record.value
        await watch.aclose()


def test_a_prepared_key_is_used_by_all_who_have_it(tmp_path: Path) -> None:
    one = keyrings.open_keyring(tmp_path / "one")
    in_use = one.primary().id
    ready = one.prepare()
    assert one.primary().id == in_use
    two = keyrings.open_keyring(tmp_path / "two")
    shutil.copy(one.file, two.file)
    assert one.rotate().id == two.rotate().id == ready.id
    assert two.find(in_use) is not None


def test_old_keys_are_kept_while_they_may_be_needed(tmp_path: Path) -> None:
    ring = keyrings.open_keyring(tmp_path)
    ring.rotate()
    with pytest.raises(StartError, match="not all Secrets are encrypted"):
        ring.forget()


def test_a_broken_key_file_is_one_sentence(tmp_path: Path) -> None:
    ring = keyrings.open_keyring(tmp_path)
    ring.file.write_text("{")
    assert ring.primary().id, "a running process goes on with what it knows"
    with pytest.raises(StartError, match="Put it back from a backup"):
        keyrings.open_keyring(tmp_path)
