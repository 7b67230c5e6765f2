"""The keys that sign service-account tokens: Secrets in root, one a key, encrypted at rest as every Secret.

The newest key signs, all of them verify: a key is added without anybody waiting, and goes once no token that it
signed can be good any more. Every process on one store follows the same Secrets.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from portway.apiserver import clocks, objects
from portway.apiserver.following import Follower
from portway.apiserver.storing import Storage
from portway.apiserver.tokens import NAMESPACE
from portway.kit import lazily
from portway.krm.identity import Manifest
from portway.store.contract import Delete, Key, Put

if TYPE_CHECKING:
    from jwt import algorithms
else:
    algorithms = lazily.module("jwt.algorithms")

ALGORITHM = "ES256"
SECRET_TYPE = "portway.dev/signing-key"  # noqa: S105  a Secret's type
ROTATE_AFTER = timedelta(days=90)
LONGEST_TOKEN = timedelta(days=365)
"""No token is issued for longer, so that keys can go at last."""
LOOK_SECONDS = 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SigningKey:
    id: str
    private: ec.EllipticCurvePrivateKey
    created: datetime
    revision: int
    """Tells which is newer of two made in one second."""

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        return self.private.public_key()

    def to_jwk(self) -> dict[str, Any]:
        jwk = dict(algorithms.ECAlgorithm.to_jwk(self.public, as_dict=True))
        return {"use": "sig", **jwk, "kid": self.id, "alg": ALGORITHM}


class SigningKeys:
    def __init__(self, storage: Storage, now: clocks.Now) -> None:
        self._storage = storage
        self._now = now
        self._by_id: dict[str, SigningKey] = {}
        self._newest_first: list[SigningKey] = []
        self.follower: Follower[SigningKey] = Follower(
            storage, "secrets", _parse, self._changed, cluster="root", namespace=NAMESPACE
        )

    @property
    def current(self) -> SigningKey:
        return self._newest_first[0]

    def find(self, identifier: str) -> SigningKey | None:
        return self._by_id.get(identifier)

    def to_jwks(self) -> dict[str, Any]:
        return {"keys": [key.to_jwk() for key in self._newest_first]}

    async def ensure(self) -> None:
        """A key when there is none."""
        if not self._newest_first:
            await self.rotate()

    async def rotate(self) -> None:
        """Sign with a new key from now on."""
        await self._storage.commit([new_key(clocks.stamp(self._now()))])

    async def maintain(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Rotate and forget by age, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # the loop's edge: the next look tries again
                log.exception("keys of service-account tokens could not be rotated")
            await sleep(LOOK_SECONDS)

    async def look(self) -> None:
        now = self._now()
        if not self._newest_first or now - self.current.created > ROTATE_AFTER:
            await self.rotate()
        for newer, key in zip(self._newest_first, self._newest_first[1:], strict=False):
            if now - newer.created > LONGEST_TOKEN:
                await self._forget(key)

    async def _forget(self, key: SigningKey) -> None:
        for (namespace, name), found in self.follower.of("root").items():
            if found.id == key.id:
                record = self._storage.get(Key("secrets", "root", namespace, name))
                if record is not None:
                    encode = objects.encoder(objects.decode(record.value), "root")
                    await self._storage.commit([Delete(record.key, encode, record.revision)])
                return

    def _changed(self, _key: Key) -> None:
        found = sorted(self.follower.of("root").values(), key=lambda key: (key.created, key.revision), reverse=True)
        self._newest_first = found
        self._by_id = {key.id: key for key in found}


def new_key(now: str) -> Put:
    """The creation of a Secret with a new key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = f"service-account-key-{_identifier(private)[:12].lower().replace('_', '-').strip('-')}"
    manifest = key_secret(private, name)
    manifest["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": now}
    return Put(Key("secrets", "root", NAMESPACE, name), objects.encoder(manifest, "root"), 0)


def key_secret(private: ec.EllipticCurvePrivateKey, name: str) -> Manifest:
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "type": SECRET_TYPE,
        "data": {"key": base64.b64encode(pem).decode()},
    }


def _identifier(private: ec.EllipticCurvePrivateKey) -> str:
    """As upstream: the hash of the public key, so that all who know the key know its name."""
    form = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.urlsafe_b64encode(hashlib.sha256(form).digest()).rstrip(b"=").decode()


def _parse(_key: Key, revision: int, manifest: Manifest) -> SigningKey | None:
    if manifest.get("type") != SECRET_TYPE:
        return None
    pem = base64.b64decode((manifest.get("data") or {}).get("key", ""))
    if not pem.startswith(b"-----BEGIN"):
        return None
    private = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        return None
    created = clocks.read(manifest["metadata"]["creationTimestamp"])
    return SigningKey(_identifier(private), private, created, revision)
