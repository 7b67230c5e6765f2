"""Continue tokens: where a list goes on, and at which revision."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import orjson

from portway.krm.errors import bad_request
from portway.store.contract import Key

LATEST = -1
"""Revision of an inconsistent token: go on with what is there now."""


class Position(NamedTuple):
    revision: int
    after: Key


def encode(revision: int, after: Key) -> str:
    start = f"{after.cluster}/{after.namespace}/{after.name}"
    token = orjson.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start})
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def decode(token: str, resource: str) -> Position:
    """Raises StatusError 400 for anything but a token of ``encode``."""
    try:
        fields = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        cluster, namespace, name = fields["start"].split("/")
        return Position(int(fields["rv"]), Key(resource, cluster, namespace, name))
    except (binascii.Error, orjson.JSONDecodeError, KeyError, ValueError, TypeError, AttributeError):
        raise bad_request("continue key is not valid: it must be one that a list returned") from None
