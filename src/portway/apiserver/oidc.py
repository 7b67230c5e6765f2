"""People of other houses: ID tokens of OpenID Connect providers as bearer tokens.

Each issuer's discovery document and keys are fetched when first needed, kept, looked at again from time to time, and at
once when a token names a key that is not known. What a provider says of groups is never taken for a group of the
system. Semantics: kube-apiserver's AuthenticationConfiguration.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portway.apiserver import clocks
from portway.apiserver.users import User, authenticated
from portway.kit import lazily

if TYPE_CHECKING:
    import httpx
    import jwt
else:
    httpx = lazily.module("httpx")
    jwt = lazily.module("jwt")

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones only: a provider's public key must never do as a secret."""
SKEW_SECONDS = 30.0
"""By how much clocks may differ."""
REFRESH_SECONDS = 600.0
UNKNOWN_KEY_SECONDS = 5.0
"""Least time between two fetches because of unknown keys or failures: anybody can make up a key's name."""
_FETCH_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_REMEMBERED = 4096

log = logging.getLogger(__name__)


class ProviderError(Exception):
    """The provider could not be asked, or what it said makes no sense. The message names the provider."""


class Refused(Exception):
    """A token is not good; the message says why, to be logged, not to be sent."""


@dataclass(frozen=True, slots=True)
class Issuer:
    url: str
    client_id: str
    """The client of the log-in, and the audience that tokens must name."""
    audiences: tuple[str, ...] = ()
    """Further audiences of which one will do."""
    client_secret: str = ""
    username_claim: str = "sub"
    username_prefix: str = ""
    groups_claim: str = ""
    groups_prefix: str = ""
    required: tuple[tuple[str, str], ...] = ()
    """Claims that must have exactly this value."""
    algorithms: tuple[str, ...] = ALGORITHMS
    scopes: tuple[str, ...] = ()
    """What a log-in asks for; empty for what is needed."""
    ca: str = ""
    """PEM text of the authority to trust; empty for the machine's."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What the discovery document says."""

    authorization: str
    token: str
    keys: str
    device: str = ""
    """Of the device authorization grant; empty when the provider has none."""
    scopes: tuple[str, ...] = ()
    """Those that it knows, if it says so."""
    client_authentication: tuple[str, ...] = ()
    """How clients may show their secret, if it says so."""


class Provider:
    """One issuer. ``verify`` is for any of its tokens; ``owner`` says whose it is."""

    def __init__(self, issuer: Issuer, now: clocks.Now) -> None:
        self.issuer = issuer
        self._now = now
        self._endpoints: Endpoints | None = None
        self._keys: list[jwt.PyJWK] = []
        self._fetched = self._tried = float("-inf")
        self._fetching = asyncio.Lock()

    async def endpoints(self) -> Endpoints:
        """Raises ProviderError."""
        if self._endpoints is None:
            async with self.http() as client:
                await self._discover(client)
        assert self._endpoints is not None  # noqa: S101  _discover sets it or raises
        return self._endpoints

    async def verify(self, token: str) -> dict[str, Any]:
        """The claims. Raises Refused and ProviderError."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise Refused(str(error)) from None
        for key in await self._candidates(str(header.get("kid") or "")):
            try:
                claims = jwt.decode(
                    token,
                    key.key,
                    list(self.issuer.algorithms),
                    audience=[self.issuer.client_id, *self.issuer.audiences],
                    issuer=self.issuer.url,
                    options={
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                        "require": ["exp", "iss", "aud"],
                    },
                )
            except (jwt.InvalidSignatureError, jwt.InvalidKeyError, TypeError):
                continue
            except jwt.PyJWTError as error:
                raise Refused(str(error)) from None
            self._check_times(claims)
            return dict(claims)
        raise Refused("no key of the provider made its signature")

    def user_of(self, claims: Mapping[str, Any]) -> User:
        """Raises Refused."""
        issuer = self.issuer
        for claim, value in issuer.required:
            if claims.get(claim) != value:
                raise Refused(f"claim {claim!r} is not {value!r}")
        name = claims.get(issuer.username_claim)
        if not isinstance(name, str) or not name:
            raise Refused(f"claim {issuer.username_claim!r}, the user's name, is missing")
        if issuer.username_claim == "email" and claims.get("email_verified", True) is not True:
            raise Refused("the e-mail address is not verified")
        name = issuer.username_prefix + name
        if name.startswith("system:"):
            raise Refused(f"{name!r} is a name of the system")
        return authenticated(name, tuple(self._groups(claims)))

    async def owner(self, token: str) -> tuple[User, float]:
        """And when the token ends. Raises Refused and ProviderError."""
        claims = await self.verify(token)
        return self.user_of(claims), float(claims["exp"])

    def _groups(self, claims: Mapping[str, Any]) -> list[str]:
        given = claims.get(self.issuer.groups_claim) if self.issuer.groups_claim else None
        if given is None:
            return []
        found = [given] if isinstance(given, str) else given
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise Refused(f"claim {self.issuer.groups_claim!r}, the groups, is neither text nor a list of texts")
        named = [self.issuer.groups_prefix + each for each in found if each]
        return [each for each in dict.fromkeys(named) if not each.startswith("system:")]

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._now().timestamp()
        for claim in ("exp", "nbf", "iat"):
            if not isinstance(claims.get(claim, 0.0), int | float):
                raise Refused(f"claim {claim!r} is no time")
        if claims["exp"] + SKEW_SECONDS <= now:
            raise Refused("the token has expired")
        if claims.get("nbf", 0.0) - SKEW_SECONDS > now:
            raise Refused("the token is not valid yet")

    async def _candidates(self, name: str) -> Sequence[jwt.PyJWK]:
        await self._refresh(REFRESH_SECONDS)
        found = self._named(name)
        if not found:
            await self._refresh(UNKNOWN_KEY_SECONDS)
            found = self._named(name)
        return found

    def _named(self, name: str) -> list[jwt.PyJWK]:
        return [key for key in self._keys if not name or not key.key_id or key.key_id == name]

    async def _refresh(self, oldest: float) -> None:
        """Fetch keys that are older than that; old ones go on while the provider does not answer."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._fetched < oldest:
            return
        async with self._fetching:
            now = loop.time()
            if now - self._fetched < oldest:
                return
            if now - self._tried < UNKNOWN_KEY_SECONDS:
                if self._keys:
                    return
                raise ProviderError(f"{self.issuer.url} did not answer a moment ago")
            self._tried = now
            try:
                await self._fetch()
            except ProviderError as error:
                if not self._keys:
                    raise
                log.warning("keys could not be fetched anew", extra={"issuer": self.issuer.url, "error": str(error)})
                return
            self._fetched = loop.time()

    async def _fetch(self) -> None:
        async with self.http() as client:
            endpoints = await self._discover(client)
            document = await self._read(client, endpoints.keys)
        keys = []
        for entry in document.get("keys") or ():
            if entry.get("use", "sig") != "sig" or entry.get("kty") == "oct":
                continue
            try:
                keys.append(jwt.PyJWK(entry))
            except jwt.PyJWTError:  # of a kind that is not known here; others may do
                continue
        if not keys:
            raise ProviderError(f"{endpoints.keys} has no key that can be used")
        self._keys = keys

    async def _discover(self, client: httpx.AsyncClient) -> Endpoints:
        address = self.issuer.url.rstrip("/") + "/.well-known/openid-configuration"
        document = await self._read(client, address)
        if document.get("issuer") != self.issuer.url:
            said = document.get("issuer")
            raise ProviderError(f"{address} is of issuer {said!r}, expected {self.issuer.url!r}")
        try:
            self._endpoints = Endpoints(
                str(document.get("authorization_endpoint") or ""),
                str(document.get("token_endpoint") or ""),
                str(document["jwks_uri"]),
                str(document.get("device_authorization_endpoint") or ""),
                _texts(document.get("scopes_supported")),
                _texts(document.get("token_endpoint_auth_methods_supported")),
            )
        except KeyError:
            raise ProviderError(f"{address} names no jwks_uri") from None
        return self._endpoints

    async def _read(self, client: httpx.AsyncClient, address: str) -> dict[str, Any]:
        try:
            answer = await client.get(address)
            answer.raise_for_status()
            if len(answer.content) > _MOST_BYTES:
                raise ProviderError(f"{address} answered with more than {_MOST_BYTES} bytes")
            document = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ProviderError(f"{address} cannot be read: {error}") from None
        if not isinstance(document, dict):
            raise ProviderError(f"{address} is no JSON object")
        return document

    def http(self) -> httpx.AsyncClient:
        """For requests to the provider alone."""
        trust = ssl.create_default_context(cadata=self.issuer.ca) if self.issuer.ca else True
        return httpx.AsyncClient(verify=trust, timeout=_FETCH_SECONDS, follow_redirects=False)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


class Providers:
    """All issuers that are trusted; a token goes to the one that it names."""

    def __init__(self, issuers: Sequence[Issuer], now: clocks.Now) -> None:
        self._now = now
        self.all: dict[str, Provider] = {issuer.url: Provider(issuer, now) for issuer in issuers}
        self._known: dict[bytes, tuple[User, float]] = {}

    async def owner(self, token: str) -> User | None:
        """None for a token that is not good; why is in the log."""
        if not self.all or token.count(".") != 2:
            return None
        digest = hashlib.sha256(token.encode()).digest()
        user, ends = self._known.get(digest, (None, 0.0))
        if user is not None and self._now().timestamp() < ends:
            return user
        provider = self._named(token)
        if provider is None:
            return None
        try:
            user, ends = await provider.owner(token)
        except (Refused, ProviderError) as error:
            log.info("a token was refused", extra={"issuer": provider.issuer.url, "reason": str(error)})
            return None
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[digest] = (user, min(ends, self._now().timestamp() + REFRESH_SECONDS))
        return user

    def _named(self, token: str) -> Provider | None:
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            return None
        return self.all.get(str(claims.get("iss")))
