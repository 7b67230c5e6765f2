"""Client certificates that are void before their time, by serial number.

One that was made here has a Secret of type ``portway.dev/certificate`` beside the tokens, named by its serial;
the field ``revoked`` in it, or in one that is made for a serial that nobody wrote down, is the end of it, at once.
"""

from __future__ import annotations

from portway.apiserver.following import Follower
from portway.apiserver.tokens import NAMESPACE
from portway.krm.identity import Manifest
from portway.store.contract import Key, Reads

SECRET_TYPE = "portway.dev/certificate"  # noqa: S105  a Secret's type
_PREFIX = "certificate-"


class Revocations:
    def __init__(self, reads: Reads) -> None:
        self.follower: Follower[bool] = Follower(reads, "secrets", _parse, cluster="root", namespace=NAMESPACE)

    def has(self, serial: str) -> bool:
        return self.follower.get("root", name_of(serial), NAMESPACE) is not None


def name_of(serial: str) -> str:
    """Of the Secret. ``serial``: hexadecimal digits, colons between them and zeros before them do not count."""
    return _PREFIX + serial.replace(":", "").lower().lstrip("0")


def _parse(_key: Key, _revision: int, manifest: Manifest) -> bool | None:
    revoked = manifest.get("type") == SECRET_TYPE and (manifest.get("data") or {}).get("revoked")
    return True if revoked else None
