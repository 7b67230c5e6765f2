"""What a command line gets of a log-in at a provider, how it renews it, and log-ins with a browser elsewhere.

The server asks the provider, so that the client's secret stays here and the provider knows one client only. It keeps
nothing meanwhile: device codes and refresh tokens are with the command line, and any process here can go on.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portway.apiserver.oidc import Provider, ProviderError, Providers, Refused
from portway.bootstrap import grants
from portway.bootstrap.grants import Declined, Grant
from portway.bootstrap.sessions import Sessions
from portway.krm.errors import StatusError


class CommandLineLogins:
    """Routes answer JSON: on failure ``error`` (as RFC 6749 and 8628 name it) and ``error_description``."""

    def __init__(self, providers: Providers, sessions: Sessions) -> None:
        self._providers = providers
        self._sessions = sessions

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/session/oidc/device", self.begin, methods=["POST"]),
            Route("/session/oidc/device/token", self.poll, methods=["POST"]),
            Route("/session/oidc/refresh", self.renew, methods=["POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Where the person logs in, and the code to be typed there."""
        _, provider = await self._asked(request)
        if provider is None:
            return _unknown()
        try:
            return _answer(asdict(await grants.begin_device(provider)))
        except ProviderError as error:
            return _failure(error)

    async def poll(self, request: Request) -> Response:
        asked, provider = await self._asked(request)
        if provider is None:
            return _unknown()
        try:
            grant = await grants.redeem_device_code(provider, str(asked.get("device_code") or ""))
        except (ProviderError, Refused) as error:
            return _failure(error)
        return await self.kept(provider.issuer.url, grant)

    async def renew(self, request: Request) -> Response:
        asked, provider = await self._asked(request)
        if provider is None:
            return _unknown()
        try:
            grant = await grants.renew(provider, str(asked.get("refresh_token") or ""))
            provider.user_of(grant.claims)
        except (ProviderError, Refused) as error:
            return _failure(error)
        return _answer({"id_token": grant.id_token, "refresh_token": grant.refresh_token})

    async def kept(self, issuer: str, grant: Grant) -> Response:
        """ID and refresh token where the provider renews ID tokens; else a session token as the portal's."""
        provider = self._providers.all[issuer]
        try:
            provider.user_of(grant.claims)
            renewed = await _renewed(provider, grant)
            if renewed is not None:
                return _answer({"issuer": issuer, "id_token": renewed.id_token, "refresh_token": renewed.refresh_token})
            return _answer({"token": await self._sessions.log_in(grant.id_token)})
        except Refused as error:
            return _failure(error)
        except StatusError as error:
            return _answer({"error": "access_denied", "error_description": error.message}, error.code)

    async def _asked(self, request: Request) -> tuple[dict[str, Any], Provider | None]:
        try:
            body = await request.json()
        except ValueError:
            body = None
        asked: dict[str, Any] = body if isinstance(body, dict) else {}
        return asked, self._providers.all.get(str(asked.get("issuer") or ""))


async def _renewed(provider: Provider, grant: Grant) -> Grant | None:
    """Tried at once: that a refresh token brings an ID token too is left to the provider."""
    if not grant.refresh_token:
        return None
    try:
        return await grants.renew(provider, grant.refresh_token)
    except (ProviderError, Refused):
        return None


def _failure(error: ProviderError | Refused) -> Response:
    code = error.code if isinstance(error, Declined) else ""
    body = {"error": code or "temporarily_unavailable", "error_description": str(error)}
    if isinstance(error, Refused):
        body = {"error": "access_denied", "error_description": f"the provider's token is not good here: {error}"}
    return _answer(body, 502 if body["error"] == "temporarily_unavailable" else 400)


def _unknown() -> Response:
    body = {"error": "invalid_request", "error_description": "expected JSON with the issuer of a provider trusted here"}
    return _answer(body, 400)


def _answer(body: dict[str, Any], code: int = 200) -> Response:
    return JSONResponse(body, code, headers={"Cache-Control": "no-store"})
