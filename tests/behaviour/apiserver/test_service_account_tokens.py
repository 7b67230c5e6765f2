"""TokenRequest, TokenReview and the keys behind them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from portway.apiserver import signingkeys

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
SECRETS = "/api/v1/namespaces/default/secrets"
CONFIGS = "/api/v1/namespaces/default/configmaps"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
ISSUER = "https://kubernetes.default.svc"


async def _request(api: Any, **spec: Any) -> Any:
    if (await api.call("GET", f"{ACCOUNTS}/robot")).status_code == 404:
        await api.post(ACCOUNTS, {"metadata": {"name": "robot"}})
    return await api.post(f"{ACCOUNTS}/robot/token", {"spec": spec})


async def _review(api: Any, token: str, *audiences: str) -> Any:
    return (await api.post(REVIEWS, {"spec": {"token": token, "audiences": list(audiences)}}))["status"]


async def test_a_token_has_upstreams_claims_and_is_verified_with_the_published_keys(api: Any, server: Any) -> None:
    answer = await _request(api, expirationSeconds=700)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=server), base_url="http://any") as anybody:
        about = (await anybody.get("/.well-known/openid-configuration")).json()
        keys = (await anybody.get("/openid/v1/jwks")).json()
    token = answer["status"]["token"]
    [key] = [each for each in keys["keys"] if each["kid"] == jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(
        token, jwt.PyJWK(key), about["id_token_signing_alg_values_supported"], audience=ISSUER, issuer=about["issuer"]
    )
    account = await api.get(f"{ACCOUNTS}/robot")
    assert claims.pop("exp") - claims.pop("iat") == 700
    assert claims.pop("jti")
    assert claims.pop("nbf")
    assert claims == {
        "aud": [ISSUER],
        "iss": ISSUER,
        "sub": "system:serviceaccount:default:robot",
        "kubernetes.io": {
            "clusterName": "root",
            "namespace": "default",
            "serviceaccount": {"name": "robot", "uid": account["metadata"]["uid"]},
        },
    }
    assert "d" not in key, "the private part stays here"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"expirationSeconds": 599}, (422, "less than 10 minutes"), id="too short"),
        pytest.param({"expirationSeconds": 1 << 33}, (422, "larger than 2^32"), id="too long"),
        pytest.param({"boundObjectRef": {"kind": "Secret", "name": "none"}}, (404, '"none" not found'), id="no secret"),
        pytest.param({"boundObjectRef": {"kind": "Pod", "name": "p"}}, (404, 'pods "p" not found'), id="no pods here"),
        pytest.param({"boundObjectRef": {"kind": "Node", "name": "n"}}, (404, 'nodes "n" not found'), id="no nodes"),
        pytest.param(
            {"boundObjectRef": {"kind": "ConfigMap", "name": "x"}},
            (400, "cannot bind token to object of type /v1, Kind=ConfigMap"),
            id="kind",
        ),
    ],
)
async def test_what_cannot_be_promised_is_refused(api: Any, spec: Any, expected: tuple[int, str]) -> None:
    await api.post(ACCOUNTS, {"metadata": {"name": "robot"}})
    code, _, message = await api.refused("POST", f"{ACCOUNTS}/robot/token", {"spec": spec})
    assert code == expected[0]
    assert expected[1] in message


async def test_a_bound_token_ends_with_its_secret_even_if_one_of_that_name_comes_again(api: Any) -> None:
    await api.post(SECRETS, {"metadata": {"name": "anchor"}})
    reference = {"kind": "Secret", "apiVersion": "v1", "name": "anchor"}
    token = (await _request(api, boundObjectRef=reference))["status"]["token"]
    assert (await _review(api, token))["authenticated"] is True
    await api.delete(f"{SECRETS}/anchor")
    assert (await _review(api, token))["authenticated"] is False
    await api.post(SECRETS, {"metadata": {"name": "anchor"}})
    assert (await _review(api, token))["authenticated"] is False
    stale = {**reference, "uid": "00000000-0000-0000-0000-000000000000"}
    assert (await api.refused("POST", f"{ACCOUNTS}/robot/token", {"spec": {"boundObjectRef": stale}}))[0] == 409


async def test_a_token_of_a_deleted_account_is_void_for_the_next_of_that_name(api: Any) -> None:
    token = (await _request(api))["status"]["token"]
    await api.delete(f"{ACCOUNTS}/robot")
    await api.post(ACCOUNTS, {"metadata": {"name": "robot"}})
    assert (await api.as_user(token).refused("GET", CONFIGS))[0] == 401


async def test_a_token_for_another_audience_is_good_there_only(api: Any) -> None:
    token = (await _request(api, audiences=["vault", "registry"]))["status"]["token"]
    assert (await api.as_user(token).refused("GET", CONFIGS))[0] == 401
    good = await _review(api, token, "vault", "elsewhere")
    assert (good["authenticated"], good["audiences"]) == (True, ["vault"])
    assert good["user"]["username"] == "system:serviceaccount:default:robot"
    assert "authentication.kubernetes.io/credential-id" in good["user"]["extra"]
    bad = await _review(api, token, "elsewhere")
    assert bad["authenticated"] is False
    assert "invalid for the target audiences [elsewhere]" in bad["error"]


async def test_keys_rotate_while_old_tokens_stay_good(api: Any, server: Any) -> None:
    keys = server.context.accounts.keys
    old = (await _request(api))["status"]["token"]
    first = keys.current
    start = server.context.now()
    await keys.rotate()
    new = (await _request(api))["status"]["token"]
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    for token in (old, new):
        assert (await _review(api, token))["authenticated"] is True
    keys._now = lambda: start + signingkeys.ROTATE_AFTER + timedelta(days=1)
    await keys.look()
    assert keys.find(first.id) is not None, "its tokens may still be good"
    keys._now = lambda: start + signingkeys.LONGEST_TOKEN + timedelta(days=1)
    await keys.look()
    assert keys.find(first.id) is None


async def test_a_token_signed_by_somebody_else_is_nobodys(api: Any) -> None:
    good = (await _request(api))["status"]["token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    header = jwt.get_unverified_header(good)
    forged = jwt.encode(claims, "x" * 32, "HS256", headers={"kid": header["kid"]})
    unsigned = jwt.encode(claims, "", "none", headers={"kid": header["kid"]})
    for token in (forged, unsigned, good[:-4] + "AAAA"):
        assert (await api.as_user(token).refused("GET", CONFIGS))[0] == 401


@pytest.mark.parametrize(
    ("metadata", "code", "message"),
    [
        (
            {"name": "other"},
            422,
            'TokenRequest.authentication.k8s.io "robot" is invalid: metadata.name: Invalid value: "other": must match '
            "the service account name if specified",
        ),
        (
            {"namespace": "other"},
            422,
            'TokenRequest.authentication.k8s.io "robot" is invalid: metadata.namespace: Invalid value: "other": must '
            "match the service account namespace if specified",
        ),
        ({"uid": "0"}, 409, "the UID in the token request (0) does not match the UID of the service account"),
    ],
)
async def test_a_request_for_another_account_is_refused(api: Any, metadata: Any, code: int, message: str) -> None:
    await api.post(ACCOUNTS, {"metadata": {"name": "robot"}})
    refused = await api.refused("POST", f"{ACCOUNTS}/robot/token", {"metadata": metadata, "spec": {}})
    assert refused[0] == code
    assert message in refused[2]


async def test_a_token_for_too_long_is_shortened_and_that_is_said(api: Any) -> None:
    await api.post(ACCOUNTS, {"metadata": {"name": "robot"}})
    answer = await api.call("POST", f"{ACCOUNTS}/robot/token", {"spec": {"expirationSeconds": 1 << 31}})
    year = 365 * 24 * 3600
    assert answer.json()["spec"]["expirationSeconds"] == year
    warning = f"requested expiration of {1 << 31} seconds shortened to {year} seconds"
    assert answer.headers["warning"] == f'299 - "{warning}"'
    claims = jwt.decode(answer.json()["status"]["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == year
