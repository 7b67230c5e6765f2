"""SCRAM-SHA-256 verifiers made here, so that the server never sees a password, nor its log (RFC 5803, RFC
7677).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

ITERATIONS = 4096
_SALT_BYTES = 16


def new_password() -> str:
    """43 characters that need no quoting in URIs, shells and SQL."""
    return secrets.token_urlsafe(32)


def verifier(password: str) -> str:
    """What ``pg_authid.rolpassword`` holds; ``password`` must be ASCII (SASLprep is the identity there)."""
    return _verifier(password, secrets.token_bytes(_SALT_BYTES), ITERATIONS)


def matches(password: str, stored: str) -> bool:
    """Whether ``stored`` was made from this password."""
    try:
        scheme, middle, _ = stored.split("$", 2)
        rounds, salt = middle.split(":", 1)
        known = _verifier(password, base64.b64decode(salt), int(rounds))
    except (ValueError, binascii.Error):
        return False
    return scheme == "SCRAM-SHA-256" and hmac.compare_digest(known, stored)


def _verifier(password: str, salt: bytes, rounds: int) -> str:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, rounds)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${rounds}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
