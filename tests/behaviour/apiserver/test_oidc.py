"""ID tokens of OpenID Connect providers as bearer tokens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from tests.identity_providers import CLIENT, IdentityProvider, identity_provider

from portway.apiserver import oidc
from portway.apiserver.app import ApiServer
from portway.apiserver.oidc import Issuer
from portway.apiserver.settings import Settings
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore

WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as found:
        yield found


@pytest.fixture
def other() -> Iterator[IdentityProvider]:
    with identity_provider() as found:
        yield found


@pytest.fixture
async def server(tmp_path: Path, provider: IdentityProvider, other: IdentityProvider) -> AsyncIterator[ApiServer]:
    first = Issuer(
        url=provider.url,
        client_id=CLIENT,
        username_claim="email",
        username_prefix="acme:",
        groups_claim="groups",
        groups_prefix="acme:",
        required=(("tenant", "acme"),),
    )
    cache = Cache(SqliteStore(tmp_path / "store.db"))
    await cache.start()
    api_server = ApiServer(cache, Settings(issuers=(first, Issuer(url=other.url, client_id=CLIENT))))
    await api_server.start()
    yield api_server
    await api_server.close()
    await cache.close()


def _ada(provider: IdentityProvider, **claims: Any) -> str:
    return provider.token(**{"email": "ada@acme.test", "groups": ["payments"], "tenant": "acme", **claims})


async def _who(api: Any, token: str) -> tuple[int, str, list[str]]:
    answer = await api.as_user(token).call("POST", WHO, {})
    if answer.status_code >= 300:
        return answer.status_code, "", []
    info = answer.json()["status"]["userInfo"]
    return answer.status_code, info["username"], [g for g in info["groups"] if g != "system:authenticated"]


async def test_claims_become_user_and_groups_with_their_prefixes(api: Any, provider: IdentityProvider) -> None:
    assert await _who(api, _ada(provider)) == (201, "acme:ada@acme.test", ["acme:payments"])
    assert await _who(api, _ada(provider, groups="one")) == (201, "acme:ada@acme.test", ["acme:one"])
    assert await _who(api, _ada(provider, aud=["x", CLIENT])) == (201, "acme:ada@acme.test", ["acme:payments"])


async def test_each_of_several_issuers_is_asked_for_its_own_tokens(api: Any, other: IdentityProvider) -> None:
    assert await _who(api, other.token(sub="bob", groups=["ignored"])) == (201, "bob", [])


NOW = int(time.time())


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW - 60}, "expired, beyond what clocks may differ"),
        ({"exp": None}, "a token without end is never good"),
        ({"nbf": NOW + 600}, "not valid yet"),
        ({"aud": "another"}, "meant for another client"),
        ({"aud": None}, "meant for nobody"),
        ({"tenant": "evil"}, "a required claim is another"),
        ({"tenant": None}, "a required claim is missing"),
        ({"email": None}, "nobody is named"),
        ({"email_verified": False}, "anybody may claim an address"),
        ({"iss": "https://unknown.test"}, "an issuer nobody trusts"),
        ({"groups": [1]}, "groups that are no texts"),
    ],
)
async def test_a_token_is_refused(api: Any, provider: IdentityProvider, claims: dict[str, Any], reason: str) -> None:
    assert await _who(api, _ada(provider)) != (401, "", [])
    assert (await _who(api, _ada(provider, **claims)))[0] == 401, reason


async def test_clocks_may_differ_a_little(api: Any, provider: IdentityProvider) -> None:
    now = int(time.time())
    assert (await _who(api, _ada(provider, exp=now - 5, jti="late")))[0] == 201
    assert (await _who(api, _ada(provider, nbf=now + 20, iat=now + 20)))[0] == 201


async def test_a_provider_makes_nobody_a_user_or_group_of_the_system(api: Any, other: IdentityProvider) -> None:
    assert (await _who(api, other.token(sub="system:portway")))[0] == 401


def test_groups_of_the_system_are_left_out() -> None:
    issuer = Issuer(url="https://x.test", client_id="c", groups_claim="groups")
    found = oidc.Provider(issuer, lambda: pytest.fail("no time is needed")).user_of(
        {"sub": "eve", "groups": ["system:masters", "dev"]}
    )
    assert found.groups == ("dev", "system:authenticated")


async def test_tokens_with_tricks_in_their_signature_are_refused(api: Any, provider: IdentityProvider) -> None:
    good = _ada(provider)
    claims = jwt.decode(good, options={"verify_signature": False})
    header = {"kid": jwt.get_unverified_header(good)["kid"]}
    confused = _hmac_with_public_key(claims, provider.public_pem, header)
    for token in (jwt.encode(claims, "", "none", headers=header), confused, good[:-4] + "AAAA", "a.b.c", "..", "."):
        assert (await _who(api, token))[0] == 401


def _hmac_with_public_key(claims: dict[str, Any], pem: bytes, header: dict[str, Any]) -> str:
    """By hand, as the library refuses to make one."""
    import base64
    import hashlib
    import hmac
    import json

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    body = ".".join(part(json.dumps(each).encode()) for each in ({"alg": "HS256", "typ": "JWT", **header}, claims))
    return f"{body}.{part(hmac.new(pem, body.encode(), hashlib.sha256).digest())}"


async def test_new_keys_are_found_and_removed_ones_forgotten(
    api: Any, server: Any, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "UNKNOWN_KEY_SECONDS", 0.0)
    old = _ada(provider)
    assert (await _who(api, old))[0] == 201
    provider.rotate("ES256")
    assert (await _who(api, _ada(provider)))[0] == 201
    assert (await _who(api, old))[0] == 201
    provider.rotate(keep=False)
    assert (await _who(api, _ada(provider)))[0] == 201
    server.context.authenticator.providers._known.clear()
    assert (await _who(api, old))[0] == 401


async def test_unknown_keys_do_not_make_the_server_ask_all_the_time(api: Any, provider: IdentityProvider) -> None:
    assert (await _who(api, _ada(provider)))[0] == 201
    provider.rotate()
    for _ in range(5):
        await _who(api, _ada(provider))
    assert provider.fetches == 1


async def test_known_keys_go_on_while_the_provider_is_away(
    api: Any, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.failing = True
    assert (await _who(api, _ada(provider)))[0] == 401
    monkeypatch.setattr(oidc, "UNKNOWN_KEY_SECONDS", 0.0)
    provider.failing = False
    assert (await _who(api, _ada(provider)))[0] == 201
    provider.failing = True
    monkeypatch.setattr(oidc, "REFRESH_SECONDS", 0.0)
    assert (await _who(api, _ada(provider, jti="again")))[0] == 201


async def test_a_document_of_another_issuer_is_not_believed(api: Any, provider: IdentityProvider) -> None:
    token = _ada(provider)
    provider.issuer = "https://another.test"
    assert (await _who(api, token))[0] == 401
