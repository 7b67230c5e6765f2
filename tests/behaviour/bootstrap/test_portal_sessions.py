"""The portal's sessions in the store: revocable, of no use to who reads them there, over after their hours."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.servers import api_server, boot_client

from portway.apis import resources
from portway.apiserver.app import ApiServer
from portway.bootstrap.portalsessions import StoredSessions
from portway.bootstrap.sessions import NAMESPACE, SESSION_HOURS, Sessions
from portway.client.rest import RestClient
from portway.kit.clocks import ManualClock
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest


@dataclass
class World:
    server: ApiServer
    system: RestClient
    log_ins: Sessions
    clock: ManualClock
    sessions: StoredSessions

    async def stored(self) -> list[Manifest]:
        listed = await self.system.list(resources.SECRETS, NAMESPACE, fields="type=portway.dev/session")
        return list(listed.items)

    async def is_good(self, token: str) -> bool:
        try:
            await self.log_ins.whoami(token)
        except StatusError:
            return False
        return True


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with api_server(tmp_path) as server:
        system = boot_client(server)
        log_ins, clock = Sessions(system), ManualClock(datetime.now(UTC))
        yield World(server, system, log_ins, clock, StoredSessions(system, log_ins, clock))


async def test_the_id_brings_the_token_back_on_any_process_of_the_store(world: World) -> None:
    token = await world.server.tokens.mint("ada")
    session = await world.sessions.open(token, own=False)
    assert session != token
    elsewhere = StoredSessions(world.system, world.log_ins, world.clock)
    assert await elsewhere.token(session) == token
    assert await elsewhere.token(session + "x") is None


async def test_what_is_stored_gives_away_neither_id_nor_token(world: World) -> None:
    token = await world.server.tokens.mint("ada")
    session = await world.sessions.open(token, own=False)
    [secret] = await world.stored()
    values = b" ".join(base64.b64decode(value) for value in secret["data"].values())
    for hidden in (session, token):
        assert hidden.encode() not in values
        assert hidden not in str(secret)
    assert base64.b64decode(secret["data"]["user"]) == b"ada"
    named_after_it = secret["metadata"]["name"].removeprefix("session-")
    assert await world.sessions.token(named_after_it) is None


async def test_a_session_is_no_bearer_token(world: World) -> None:
    session = await world.sessions.open(await world.server.tokens.mint("ada"), own=False)
    assert not await world.is_good(session)


async def test_deleting_its_secret_ends_a_session_at_once(world: World) -> None:
    session = await world.sessions.open(await world.server.tokens.mint("ada"), own=False)
    [secret] = await world.stored()
    await world.system.delete(resources.SECRETS, secret["metadata"]["name"], NAMESPACE)
    assert await world.sessions.token(session) is None


async def test_a_token_that_was_made_for_a_session_ends_with_it_and_no_other(world: World) -> None:
    own = await world.log_ins.log_in(await world.server.tokens.mint("ada"))
    pasted = await world.server.tokens.mint("ada")
    for token, is_own in ((own, True), (pasted, False)):
        session = await world.sessions.open(token, own=is_own)
        await world.sessions.end(session)
        assert await world.sessions.token(session) is None
        assert await world.is_good(token) is not is_own
    assert await world.stored() == []


async def test_a_session_is_over_after_its_hours_and_removed_by_the_next(world: World) -> None:
    token = await world.server.tokens.mint("ada")
    session = await world.sessions.open(token, own=False)
    await world.clock.advance(SESSION_HOURS * 3600 - 1)
    assert await world.sessions.token(session) == token
    await world.clock.advance(1)
    assert await world.sessions.token(session) is None
    assert len(await world.stored()) == 1
    await world.sessions.open(token, own=False)
    assert len(await world.stored()) == 1
