"""Log-in with an OpenID Connect provider: authorization code with PKCE, for browsers and for the command line.

What the provider's ID token says is judged by the API, as that of any bearer; the log-in becomes a session like others.
A log-in under way is kept in a cookie of the browser that began it, so that nobody can end another's.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from urllib.parse import quote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from portway.apiserver.oidc import Provider, ProviderError, Providers, Refused
from portway.bootstrap import grants
from portway.bootstrap.commandlogins import CommandLineLogins
from portway.bootstrap.grants import Grant
from portway.bootstrap.sessions import Sessions
from portway.krm.errors import StatusError

_COOKIE = "portway_login"
_COOKIE_SECONDS = 600
_CODE_SECONDS = 60
START, CALLBACK = "/session/oidc/start", "/session/oidc/callback"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A log-in under way."""

    issuer: str
    state: str
    nonce: str
    verifier: str
    next: str
    port: int = 0
    """Of a command line that waits on loopback; 0 for the portal."""
    challenge: str = ""
    """S256 of what that command line alone knows."""
    client_state: str = ""

    def to_cookie(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()


@dataclass(frozen=True, slots=True)
class _Waiting:
    grant: Grant
    issuer: str
    challenge: str
    expires: datetime.datetime


class SignOn:
    """``routes`` below ``/session/oidc``; ``address``: base URL of the portal, which providers must know."""

    def __init__(self, providers: Providers, sessions: Sessions, address: str) -> None:
        self._providers = providers
        self._sessions = sessions
        self._address = address
        self._command_line = CommandLineLogins(providers, sessions)
        self._waiting: dict[str, _Waiting] = {}

    @property
    def doors(self) -> tuple[tuple[str, str], ...]:
        """(name, path) of each provider, for the log-in page."""
        return tuple((urlsplit(url).netloc, f"{START}?{urlencode({'issuer': url})}") for url in self._providers.all)

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/session/oidc", self.list),
            Route(START, self.start),
            Route(CALLBACK, self.callback),
            Route("/session/oidc/redeem", self.redeem, methods=["POST"]),
            *self._command_line.routes,
        ]

    async def list(self, _request: Request) -> Response:
        """Which providers there are; for everybody."""
        return JSONResponse({"providers": [{"issuer": url} for url in self._providers.all], "address": self._address})

    async def start(self, request: Request) -> Response:
        """Send the browser to the provider."""
        if request.url.hostname == "127.0.0.1" and urlsplit(self._address).hostname == "localhost":
            # the cookie has to be of the host that the provider sends back to
            return RedirectResponse(f"{self._address}{START}?{request.url.query}", 303)
        asked = request.query_params
        provider = self._provider(asked.get("issuer", ""))
        if provider is None:
            return PlainTextResponse("There is no such provider here.\n", status_code=404)
        port = asked.get("port", "")
        attempt = Attempt(
            issuer=provider.issuer.url,
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            next=asked.get("next", "/"),
            port=int(port) if port.isdigit() and 1024 <= int(port) <= 65535 else 0,
            challenge=asked.get("challenge", ""),
            client_state=asked.get("state", ""),
        )
        try:
            endpoints = await provider.endpoints()
        except ProviderError as error:
            return PlainTextResponse(f"The provider cannot be asked: {error}.\n", status_code=502)
        wanted = grants.scopes(provider, endpoints.scopes, renewable=bool(attempt.port))
        query = {
            "response_type": "code",
            "client_id": provider.issuer.client_id,
            "redirect_uri": self._address + CALLBACK,
            "scope": wanted,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": _s256(attempt.verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in endpoints.authorization else "?"
        response = RedirectResponse(endpoints.authorization + joint + urlencode(query), 303)
        response.set_cookie(
            _COOKIE,
            attempt.to_cookie(),
            max_age=_COOKIE_SECONDS,
            path="/session/oidc",
            httponly=True,
            samesite="lax",  # it comes back by a link from the provider
            secure=self._address.startswith("https:"),
        )
        return response

    async def callback(self, request: Request) -> Response:
        """The provider has sent the browser back."""
        attempt = _attempt(request.cookies.get(_COOKIE, ""))
        asked = request.query_params
        if attempt is None or not hmac.compare_digest(attempt.state, asked.get("state", "")):
            return _failed("This log-in was not begun in this browser, or too long ago. Begin again.", 400)
        if asked.get("iss", attempt.issuer) != attempt.issuer:  # RFC 9207: else one provider gets codes of another
            return _failed("Another provider than the one that was asked sent this answer.", 400)
        if asked.get("error"):
            return _failed(f"The provider says: {asked.get('error_description') or asked['error']}.", 403)
        provider = self._provider(attempt.issuer)
        if provider is None:
            return _failed("This provider is not trusted any more.", 400)
        try:
            response = await self._enter(provider, attempt, asked.get("code", ""))
        except (ProviderError, Refused) as error:
            return _failed(f"The log-in failed: {error}.", 403)
        except StatusError:
            return _failed("The provider let you in, but its token is not good here; the server's log says why.", 403)
        response.delete_cookie(_COOKIE, path="/session/oidc")
        return response

    async def redeem(self, request: Request) -> Response:
        """What ``CommandLineLogins`` gives for the code that a command line got, and the secret that it alone knows."""
        try:
            body = await request.json()
            code, verifier = str(body["code"]), str(body["verifier"])
        except (ValueError, KeyError, TypeError):
            return PlainTextResponse("Expected JSON with code and verifier.\n", status_code=400)
        waiting = self._waiting.pop(_digest(code), None)
        if waiting is None or waiting.expires <= _now() or not hmac.compare_digest(waiting.challenge, _s256(verifier)):
            return PlainTextResponse("This code was used already, is too old, or another's.\n", status_code=401)
        return await self._command_line.kept(waiting.issuer, waiting.grant)

    async def _enter(self, provider: Provider, attempt: Attempt, code: str) -> Response:
        grant = await grants.redeem_code(provider, code, self._address + CALLBACK, attempt.verifier)
        if not hmac.compare_digest(str(grant.claims.get("nonce", "")), attempt.nonce):
            raise Refused("its token answers another log-in")
        if attempt.port:
            return RedirectResponse(self._for_command_line(grant, attempt), 303)
        once = await self._sessions.issue_link(grant.id_token)
        return RedirectResponse(f"/login?token={once}&next={quote(attempt.next, safe='/')}", 303)

    def _for_command_line(self, grant: Grant, attempt: Attempt) -> str:
        now = _now()
        self._waiting = {key: each for key, each in self._waiting.items() if each.expires > now}
        code = secrets.token_urlsafe(32)
        expires = now + datetime.timedelta(seconds=_CODE_SECONDS)
        self._waiting[_digest(code)] = _Waiting(grant, attempt.issuer, attempt.challenge, expires)
        return f"http://127.0.0.1:{attempt.port}/?{urlencode({'code': code, 'state': attempt.client_state})}"

    def _provider(self, issuer: str) -> Provider | None:
        known = self._providers.all
        if not issuer and len(known) == 1:
            return next(iter(known.values()))
        return known.get(issuer)


def _attempt(cookie: str) -> Attempt | None:
    try:
        return Attempt(**json.loads(base64.urlsafe_b64decode(cookie)))
    except (ValueError, TypeError, binascii.Error):
        return None


def _failed(text: str, code: int) -> Response:
    return PlainTextResponse(text + "\n", status_code=code, headers={"Cache-Control": "no-store"})


def _s256(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
