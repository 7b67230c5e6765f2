"""An OpenID Connect provider on loopback whose keys, clock and answers a test decides.

The real thing for log-ins is ``oidc_provider_mock``; this one does what that cannot: rotate keys, fail, lie.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT = "portway"


class IdentityProvider:
    """``token`` signs with the newest key. ``failing`` answers 500 to everything."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.issuer = self.url
        self.failing = False
        self.fetches = 0
        self._keys: list[tuple[str, str, Any]] = []
        self.rotate()

    def rotate(self, algorithm: str = "RS256", *, keep: bool = True) -> None:
        private: Any
        if algorithm.startswith("ES"):
            private = ec.generate_private_key(ec.SECP256R1())
        else:
            private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._keys = [
            *(self._keys if keep else ()),
            (f"key-{len(self._keys)}-{time.monotonic_ns()}", algorithm, private),
        ]

    def token(self, **claims: Any) -> str:
        name, algorithm, private = self._keys[-1]
        now = int(time.time())
        plain = {"iss": self.issuer, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + 300}
        whole = {key: value for key, value in (plain | claims).items() if value is not None}
        return jwt.encode(whole, private, algorithm, headers={"kid": name})

    @property
    def public_pem(self) -> bytes:
        from cryptography.hazmat.primitives import serialization

        form = serialization.PublicFormat.SubjectPublicKeyInfo
        pem: bytes = self._keys[-1][2].public_key().public_bytes(serialization.Encoding.PEM, form)
        return pem

    def answer(self, path: str) -> dict[str, Any] | None:
        if self.failing:
            return None
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.issuer, "jwks_uri": f"{self.url}/keys"}
        if path == "/keys":
            self.fetches += 1
            return {"keys": [_jwk(*key) for key in self._keys]}
        return None


def _jwk(name: str, algorithm: str, private: Any) -> dict[str, Any]:
    of = jwt.algorithms.ECAlgorithm if algorithm.startswith("ES") else jwt.algorithms.RSAAlgorithm
    public: dict[str, Any] = of.to_jwk(private.public_key(), as_dict=True)
    return {**public, "kid": name, "use": "sig"}


@contextlib.contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    found: list[IdentityProvider] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = found[0].answer(self.path)
            body = json.dumps(answer or {}).encode()
            self.send_response(500 if answer is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the base class's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.append(IdentityProvider(server.server_address[1]))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found[0]
        finally:
            server.shutdown()
            thread.join()
