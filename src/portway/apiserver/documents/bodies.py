"""A finished response body with its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Document:
    body: bytes
    hash: str
    """Of the body, in upper-case hex as upstream prints it. An ETag is this in quotes."""
    media_type: str = "application/json"

    @property
    def etag(self) -> str:
        return f'"{self.hash}"'


def document(value: Any, media_type: str = "application/json") -> Document:
    body = orjson.dumps(value)
    return of_bytes(body, media_type)


def of_bytes(body: bytes, media_type: str = "application/json") -> Document:
    return Document(body, hashlib.sha512(body).hexdigest().upper(), media_type)
