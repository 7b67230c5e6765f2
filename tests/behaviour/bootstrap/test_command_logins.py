"""Log-ins of a command line at a provider: by device code, and renewed by refresh tokens that are good once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from tests.device_providers import CLIENT, SECRET, DeviceProvider, device_provider

from portway.apiserver.app import ApiServer
from portway.apiserver.oidc import Issuer
from portway.apiserver.settings import Settings
from portway.bootstrap.sessions import Sessions
from portway.bootstrap.signingon import SignOn
from portway.cli import devices
from portway.cli.errors import CommandError
from portway.client.inprocess import InProcessTransport
from portway.client.rest import RestClient
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider's own libraries

AWAY = "http://127.0.0.1:9"


@pytest.fixture
def provider() -> Iterator[DeviceProvider]:
    with device_provider() as found:
        yield found


@dataclass
class Portway:
    """``http`` asks what the command line asks."""

    http: httpx.AsyncClient
    sessions: Sessions
    waits: list[float] = field(default_factory=list)

    async def post(self, path: str, **body: str) -> tuple[int, Any]:
        answer = await self.http.post(f"/session/oidc/{path}", json=body)
        return answer.status_code, answer.json()


@pytest.fixture
async def portway(tmp_path: Path, provider: DeviceProvider) -> AsyncIterator[Portway]:
    trusted = Issuer(
        url=provider.url,
        client_id=CLIENT,
        audiences=("another",),
        client_secret=SECRET,
        username_claim="email",
        groups_claim="groups",
    )
    cache = Cache(SqliteStore(tmp_path / "store.db"))
    await cache.start()
    server = ApiServer(cache, Settings(issuers=(trusted, Issuer(url=AWAY, client_id=CLIENT))))
    await server.start()
    sessions = Sessions(RestClient(InProcessTransport(server), "root", server.boot_token))
    sign_on = SignOn(server.context.authenticator.providers, sessions, "http://localhost:8700")
    transport = httpx.ASGITransport(app=Starlette(routes=sign_on.routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8700") as http:
        yield Portway(http, sessions)
    await server.close()
    await cache.close()


async def _log_in(portway: Portway, provider: DeviceProvider, after: int, *, allowed: bool = True) -> dict[str, Any]:
    """The person types the code when the command line has waited so often."""

    async def sleep(seconds: float) -> None:
        portway.waits.append(seconds)
        if len(portway.waits) == after:
            provider.enter(provider.waiting[0], allowed=allowed)

    return await devices.log_in(portway.http, provider.url, sleep)


async def test_a_code_typed_elsewhere_logs_in_here(
    portway: Portway, provider: DeviceProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await _log_in(portway, provider, after=3)
    assert (provider.polls, portway.waits) == (3, [1, 1, 1])
    assert set(found) == {"issuer", "id_token", "refresh_token"}
    owner = await portway.sessions.whoami(found["id_token"])
    assert (owner.user, owner.groups) == ("ada@acme.test", ("payments",))
    told = capsys.readouterr().err
    assert f"open {provider.url}/device\n" in told
    assert "enter the code " in told


async def test_a_provider_that_asks_for_patience_gets_it_from_then_on(
    portway: Portway, provider: DeviceProvider
) -> None:
    provider.slow_downs = 2
    await _log_in(portway, provider, after=5)
    assert portway.waits == [1, 6, 11, 11, 11]


async def test_a_person_may_say_no(portway: Portway, provider: DeviceProvider) -> None:
    with pytest.raises(CommandError, match=r"The log-in failed: .*denied"):
        await _log_in(portway, provider, after=2, allowed=False)


async def test_nobody_waits_for_a_code_that_is_over(portway: Portway, provider: DeviceProvider) -> None:
    async def sleep(seconds: float) -> None:
        portway.waits.append(seconds)

    provider.slow_downs = 1000
    with pytest.raises(CommandError, match="Nobody logged in while the code was good"):
        await devices.log_in(portway.http, provider.url, sleep)
    assert sum(portway.waits[:-1]) < 1800 <= sum(portway.waits)


async def test_a_refresh_token_is_good_once_and_brings_the_next(portway: Portway, provider: DeviceProvider) -> None:
    first = await _log_in(portway, provider, after=1)
    code, second = await portway.post("refresh", issuer=provider.url, refresh_token=first["refresh_token"])
    assert code == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert (await portway.sessions.whoami(second["id_token"])).user == "ada@acme.test"
    code, answer = await portway.post("refresh", issuer=provider.url, refresh_token=first["refresh_token"])
    assert (code, answer["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another"}, "good as a bearer's, but not made for this log-in"),
        ({"aud": ["another", CLIENT], "azp": "another"}, "made for another client"),
        ({"email_verified": False}, "anybody may claim an address"),
        ({"exp": 1}, "over"),
    ],
)
async def test_a_log_in_takes_tokens_that_were_made_for_it(
    portway: Portway, provider: DeviceProvider, claims: dict[str, Any], reason: str
) -> None:
    provider.claims = {"aud": ["another", CLIENT], "azp": CLIENT}
    assert "id_token" in await _log_in(portway, provider, after=1)
    provider.claims = claims
    with pytest.raises(CommandError, match="the provider's token is not good here"):
        await _log_in(portway, provider, after=2)
    assert len(portway.waits) == 2, reason


@pytest.mark.parametrize("path", ["device", "device/token", "refresh"])
async def test_only_providers_that_are_trusted_are_asked(portway: Portway, path: str) -> None:
    for body in ({"issuer": "https://evil.test"}, {}):
        code, answer = await portway.post(path, **body)
        assert (code, answer["error"]) == (400, "invalid_request")
    assert (await portway.http.post(f"/session/oidc/{path}", content=b"[nonsense")).status_code == 400


async def test_a_provider_that_is_away_is_another_matter_than_a_refusal(portway: Portway) -> None:
    code, answer = await portway.post("refresh", issuer=AWAY, refresh_token="x")
    assert (code, answer["error"]) == (502, "temporarily_unavailable")
