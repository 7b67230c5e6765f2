"""Who is asking: boot token, static, service-account and OpenID Connect tokens, client certificates, impersonation."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import unquote

from portway.apiserver import tokens
from portway.apiserver.accounts import ServiceAccountTokens
from portway.apiserver.oidc import Providers
from portway.apiserver.rbac import Attributes
from portway.apiserver.requests import Request
from portway.apiserver.revocations import Revocations
from portway.apiserver.tokens import Tokens
from portway.apiserver.users import (
    ANONYMOUS,
    AUTHENTICATED,
    SYSTEM,
    UNAUTHENTICATED,
    User,
    account_groups,
    split_account,
)
from portway.krm.errors import bad_request, unauthorized

_GROUP = "authentication.k8s.io"


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


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Whom the Impersonate-* headers name, and what the caller has to be allowed for it."""

    user: User
    asked: tuple[Attributes, ...]


def impersonated(request: Request) -> Impersonation | None:
    """Whether the caller may is for the authorizer to say. Rules: k8s.io/apiserver filters/impersonation."""
    name = request.header(b"impersonate-user")
    named = tuple(request.header_values(b"impersonate-group"))
    uid = request.header(b"impersonate-uid")
    extra: dict[str, tuple[str, ...]] = {}
    for key, value in request.raw_headers:
        if key.startswith(b"impersonate-extra-"):
            field = unquote(key[18:].decode("latin-1"))
            extra[field] = (*extra.get(field, ()), value.decode("latin-1"))
    if not name:
        if named or uid or extra:
            raise bad_request("requested groups, uid or extra without impersonating a user: add Impersonate-User")
        return None
    account = split_account(name)
    asked = [_ask("serviceaccounts", account[1], account[0]) if account else _ask("users", name)]
    asked += [_ask("groups", group) for group in named]
    asked += [_ask(f"userextras/{key}", value, group=_GROUP) for key, values in extra.items() for value in values]
    asked += [_ask("uids", uid, group=_GROUP)] if uid else []
    groups = _with_usual(name, named or (account_groups(account[0]) if account else ()))
    home = request.tenant.cluster if account and request.tenant else ""
    return Impersonation(User(name, groups, uid, extra, home), tuple(asked))


def _ask(resource: str, name: str, namespace: str = "", *, group: str = "") -> Attributes:
    return Attributes("impersonate", group, resource, namespace, name)


def _with_usual(name: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    """With the group of all who are known, or of all who are not."""
    if name == ANONYMOUS.name:
        return groups if UNAUTHENTICATED in groups else (*groups, UNAUTHENTICATED)
    return groups if {AUTHENTICATED, UNAUTHENTICATED} & set(groups) else (*groups, AUTHENTICATED)
