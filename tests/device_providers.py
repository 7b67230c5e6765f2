"""A provider with device codes (RFC 8628) and refresh tokens that are good once, by Authlib's implementation of both.

Its client has to show its secret by HTTP Basic; its refresh tokens die together when one is used twice.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import flask
import jwt
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import rfc6749, rfc8628
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.serving import make_server

CLIENT, SECRET = "portway", "s/+ %cret"


class DeviceProvider:
    """``lifetime``: seconds of an ID token, to be changed at will."""

    def __init__(self) -> None:
        self.url = ""
        self.lifetime = 300
        self.polls = 0
        self.slow_downs = 0
        """So many polls that follow are told to slow down."""
        self.renewals = 0
        self.codes: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, bool] = {}
        self.refresh_tokens: dict[str, Token] = {}
        self.used: set[str] = set()
        self.revoked = False
        self.claims: dict[str, Any] = {}
        """Of ID tokens, beside the usual ones or in their place."""
        self._key = ec.generate_private_key(ec.SECP256R1())

    def enter(self, user_code: str, *, allowed: bool = True) -> None:
        """What the person does in a browser somewhere."""
        assert user_code in {each["user_code"] for each in self.codes.values()}
        self.answers[user_code] = allowed

    @property
    def waiting(self) -> list[str]:
        """Codes that nobody has typed yet."""
        return [each["user_code"] for each in self.codes.values() if each["user_code"] not in self.answers]

    def id_token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + self.lifetime}
        about = {"email": "ada@acme.test", "groups": ["payments"], "jti": str(time.monotonic_ns())}
        return jwt.encode({**claims, **about, **self.claims}, self._key, "ES256", headers={"kid": "one"})

    def keys(self) -> dict[str, Any]:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "one", "use": "sig"}]}


class Client(rfc6749.ClientMixin):  # type: ignore[misc]
    def get_client_id(self) -> str:
        return CLIENT

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type: str) -> bool:
        return True


class Token(rfc6749.TokenMixin):  # type: ignore[misc]
    def __init__(self, value: str) -> None:
        self.value = value

    def check_client(self, client: Client) -> bool:
        return True

    def get_scope(self) -> str:
        return "openid"


def _app(provider: DeviceProvider) -> flask.Flask:
    class Devices(rfc8628.DeviceAuthorizationEndpoint):  # type: ignore[misc]
        INTERVAL = 1

        def get_verification_uri(self) -> str:
            return f"{provider.url}/device"

        def save_device_credential(self, client_id: str, scope: str, data: dict[str, Any]) -> None:
            assert scope == "openid email profile offline_access"
            provider.codes[data["device_code"]] = {"client_id": client_id, "scope": scope, **data}

    class DeviceCodes(rfc8628.DeviceCodeGrant):  # type: ignore[misc]
        def query_device_credential(self, device_code: str) -> Any:
            provider.polls += 1
            found = provider.codes.get(device_code)
            return rfc8628.DeviceCredentialDict(found) if found else None

        def query_user_grant(self, user_code: str) -> Any:
            allowed = provider.answers.get(user_code)
            return None if allowed is None else ("ada", allowed)

        def should_slow_down(self, credential: Any) -> bool:
            provider.slow_downs -= 1
            return provider.slow_downs >= 0

        def create_token_response(self) -> Any:
            provider.codes.pop(self.request.credential["device_code"])
            return _with_id_token(provider, super().create_token_response())

    class RefreshTokens(rfc6749.RefreshTokenGrant):  # type: ignore[misc]
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh_token: str) -> Any:
            if refresh_token in provider.used:
                provider.revoked = True
            return None if provider.revoked else provider.refresh_tokens.get(refresh_token)

        def authenticate_user(self, refresh_token: Any) -> str:
            return "ada"

        def revoke_old_credential(self, refresh_token: Token) -> None:
            provider.used.add(refresh_token.value)

        def create_token_response(self) -> Any:
            provider.renewals += 1
            return _with_id_token(provider, super().create_token_response())

    app = flask.Flask(__name__)
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True

    def save_token(token: dict[str, Any], request: Any) -> None:
        provider.refresh_tokens[token["refresh_token"]] = Token(token["refresh_token"])

    server = AuthorizationServer(app, query_client=lambda _id: Client(), save_token=save_token)
    server.register_grant(DeviceCodes)
    server.register_grant(RefreshTokens)
    server.register_endpoint(Devices)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Any:
        return {
            "issuer": provider.url,
            "authorization_endpoint": f"{provider.url}/authorize",
            "token_endpoint": f"{provider.url}/token",
            "device_authorization_endpoint": f"{provider.url}/device_authorization",
            "jwks_uri": f"{provider.url}/keys",
            "scopes_supported": ["openid", "email", "profile", "offline_access"],
        }

    app.get("/keys")(provider.keys)
    app.post("/token", endpoint="token")(server.create_token_response)
    app.post("/device_authorization", endpoint="begin")(lambda: server.create_endpoint_response("device_authorization"))
    return app


def _with_id_token(provider: DeviceProvider, answer: tuple[int, dict[str, Any], Any]) -> Any:
    status, token, headers = answer
    return status, {**token, "id_token": provider.id_token()}, headers


@contextlib.contextmanager
def device_provider() -> Iterator[DeviceProvider]:
    provider = DeviceProvider()
    server = make_server("127.0.0.1", 0, _app(provider), threaded=True)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
