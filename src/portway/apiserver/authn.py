"""Who is asking: boot token, static, service-account and OpenID Connect tokens, client certificates, impersonation."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import unquote

from portway.apiserver import tokens
from portway.apiserver.accounts import ServiceAccountTokens
from portway.apiserver.oidc import Providers
from portway.apiserver.requests import Request
from portway.apiserver.revocations import Revocations
from portway.apiserver.tokens import Tokens
from portway.apiserver.users import ANONYMOUS, AUTHENTICATED, SYSTEM, UNAUTHENTICATED, User
from portway.krm.errors import bad_request, unauthorized


class Authenticator:
    """``boot_token`` is known to this process only and makes its bearer system:portway."""

    def __init__(
        self, static: Tokens, accounts: ServiceAccountTokens, providers: Providers, revocations: Revocations
    ) -> None:
        self.boot_token = tokens.PREFIX + secrets.token_urlsafe(32)
        self._static = static
        self._accounts = accounts
        self._revocations = revocations
        self.providers = providers

    async def authenticate(self, request: Request) -> User:
        """Raises StatusError 401 for credentials that are wrong; none at all is the anonymous user.

        A token counts before a certificate: kubectl sends both when told to.
        """
        token = tokens.bearer(request.header(b"authorization"))
        if not token:
            return self._peer(request)
        user = await self.owner(token)
        if user is None:
            raise unauthorized()
        return user

    def _peer(self, request: Request) -> User:
        if request.peer is None:
            return ANONYMOUS
        if self._revocations.has(request.peer.serial):
            raise unauthorized()
        return request.peer.user

    async def owner(self, token: str) -> User | None:
        if hmac.compare_digest(token.encode(), self.boot_token.encode()):
            return SYSTEM
        if token.startswith(tokens.PREFIX):
            return self._static.owner(token)
        return self._accounts.owner(token) or await self.providers.owner(token)


def impersonated(request: Request) -> User | None:
    """The user of the Impersonate-* headers; whether the caller may is for the authorizer to say."""
    name = request.header(b"impersonate-user")
    groups = tuple(request.header_values(b"impersonate-group"))
    uid = request.header(b"impersonate-uid")
    extra: dict[str, tuple[str, ...]] = {}
    for key, value in request.raw_headers:
        if key.startswith(b"impersonate-extra-"):
            field = unquote(key[18:].decode("latin-1"))
            extra[field] = (*extra.get(field, ()), value.decode("latin-1"))
    if not name:
        if groups or uid or extra:
            raise bad_request("requested groups, uid or extra without impersonating a user: add Impersonate-User")
        return None
    if name.startswith("system:serviceaccount:") and not groups:
        namespace = name.split(":")[2]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    if AUTHENTICATED not in groups and UNAUTHENTICATED not in groups and name != ANONYMOUS.name:
        groups = (*groups, AUTHENTICATED)
    home = request.tenant.cluster if name.startswith("system:serviceaccount:") and request.tenant else ""
    return User(name, groups, uid, extra, home)
