"""Portway as the client of a provider's token endpoint: codes, device codes and refresh tokens become ID tokens.

Formats: RFC 6749 (sections 2.3.1, 4.1.3, 6), RFC 8628, OpenID Connect Core 1.0 (section 12).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from portway.apiserver.oidc import Issuer, Provider, ProviderError, Refused

_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_SCOPES = ("openid", "email", "profile")
_RENEWABLE = "offline_access"


class Declined(ProviderError):
    """The provider says no, by an error of RFC 6749 or 8628 in ``code``."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Grant:
    """``claims`` are of the ID token, which was verified."""

    id_token: str
    refresh_token: str
    """Empty when there is none."""
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """What the provider answers to one who wants to log in with a browser elsewhere; times in seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


def scopes(provider: Provider, known: tuple[str, ...], *, renewable: bool) -> str:
    """To be asked for, of those ``known`` to the provider. ``renewable``: a refresh token is wanted."""
    more = (_RENEWABLE,) if renewable and _RENEWABLE in known else ()
    return " ".join(provider.issuer.scopes or (*_SCOPES, *more))


async def redeem_code(provider: Provider, code: str, redirect: str, verifier: str) -> Grant:
    """Raises ProviderError and Refused, as all of these."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
    return await _granted(provider, form)


async def redeem_device_code(provider: Provider, device_code: str) -> Grant:
    """Raises Declined with ``authorization_pending`` or ``slow_down`` while the person is still at it."""
    return await _granted(provider, {"grant_type": _DEVICE_CODE, "device_code": device_code})


async def renew(provider: Provider, refresh_token: str) -> Grant:
    """With the refresh token to use from now on."""
    return await _granted(provider, {"grant_type": "refresh_token", "refresh_token": refresh_token}, refresh_token)


async def begin_device(provider: Provider) -> DeviceLogin:
    endpoints = await provider.endpoints()
    if not endpoints.device:
        raise ProviderError(f"{provider.issuer.url} has no device authorization endpoint")
    form = {"scope": scopes(provider, endpoints.scopes, renewable=True)}
    answer = await _post(provider, endpoints.device, form)
    try:
        address = str(answer["verification_uri"])
        return DeviceLogin(
            str(answer["device_code"]),
            str(answer["user_code"]),
            address,
            str(answer.get("verification_uri_complete") or ""),
            int(answer["expires_in"]),
            int(answer.get("interval", 5)),  # what RFC 8628, section 3.2 says when it is left out
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProviderError(f"{endpoints.device} left out or misspelt {error}") from None


async def _granted(provider: Provider, form: Mapping[str, str], refresh_token: str = "") -> Grant:
    endpoints = await provider.endpoints()
    answer = await _post(provider, endpoints.token, form)
    token = str(answer.get("id_token") or "")
    if not token:
        raise ProviderError(f"{endpoints.token} gave no ID token")
    claims = await provider.verify(token)
    _check_client(claims, provider.issuer.client_id)
    return Grant(token, str(answer.get("refresh_token") or refresh_token), claims)


def _check_client(claims: Mapping[str, Any], client: str) -> None:
    """That the token was made for Portway itself, not for another of the API's audiences. Raises Refused."""
    audience, party = claims["aud"], claims.get("azp", client)
    if client not in (audience if isinstance(audience, list) else [audience]) or party != client:
        raise Refused(f"its token was made for another client than {client}")


async def _post(provider: Provider, address: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The answer; the client's secret is shown in the other way too when the first is not liked."""
    ways = _credentials(provider.issuer, (await provider.endpoints()).client_authentication)
    for number, (headers, fields) in enumerate(ways, 1):
        try:
            async with provider.http() as client:
                answer = await client.post(address, data={**form, **fields}, headers=headers)
                document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError(f"{address} did not answer: {error}") from None
        if not isinstance(document, dict):
            raise ProviderError(f"{address} answered with no JSON object")
        if answer.status_code == 200:
            return document
        code = str(document.get("error") or "")
        if code != "invalid_client" or number == len(ways):
            why = document.get("error_description") or code or answer.status_code
            raise Declined(f"{address} refused the log-in: {why}", code)
    raise AssertionError("there is always a last way")


def _credentials(issuer: Issuer, methods: tuple[str, ...]) -> list[tuple[dict[str, str], dict[str, str]]]:
    """(headers, fields of the form) of each way that the provider may know, first the one that all have to know."""
    headers, client = {"Accept": "application/json"}, {"client_id": issuer.client_id}
    if not issuer.client_secret:
        return [(headers, client)]
    pair = ":".join(quote(each, safe="") for each in (issuer.client_id, issuer.client_secret))
    basic = {**headers, "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    ways = {
        "client_secret_basic": (basic, client),
        "client_secret_post": (headers, {**client, "client_secret": issuer.client_secret}),
    }
    return [way for name, way in ways.items() if name in methods] or list(ways.values())
