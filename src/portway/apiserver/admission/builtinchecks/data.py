"""ConfigMaps and Secrets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from portway.apiserver.admission.contract import AdmissionRequest
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

_KEY_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_KEY_LIMIT = 253
_DATA_LIMIT = 1024 * 1024
_ACCOUNT = "kubernetes.io/service-account.name"
_MAP = "Go value of type map[string]interface {}"
_REQUIRED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_BASIC_AUTH = ("username", "password")


def config_map(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    text, binary = manifest.get("data") or {}, manifest.get("binaryData") or {}
    yield from _check_immutable(request, manifest, ("data", "binaryData"))
    yield from _check_keys(text, "data")
    for key in text.keys() & binary.keys():
        yield causes.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    yield from _check_keys(binary, "binaryData")
    decoded = dict(_decoded(binary))
    yield from _check_base64(decoded, "binaryData")
    size = sum(len(str(value).encode()) for value in text.values()) + _size(decoded)
    if size > _DATA_LIMIT:
        yield causes.too_long("[]", _DATA_LIMIT)  # upstream's name of the whole object


def secret(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    kind, old = manifest.get("type") or "", request.old
    if old is not None and kind != old.get("type"):
        yield causes.immutable("type", kind)
    yield from _check_immutable(request, manifest, ("data",))
    data = dict(_decoded(manifest.get("data") or {}))
    yield from _check_keys(data, "data")
    yield from _check_base64(data, "data")
    if _size(data) > _DATA_LIMIT:
        yield causes.too_long("data", _DATA_LIMIT)
    yield from _check_type(kind, manifest, data)


def _check_type(kind: str, manifest: Manifest, data: Mapping[str, bytes | None]) -> Iterator[Cause]:
    for key in _REQUIRED.get(kind, ()):
        if key not in data:
            yield causes.required(f"data[{key}]")
        elif key.startswith(".docker"):
            yield from _check_json(data[key] or b"", f"data[{key}]")
    if kind == "kubernetes.io/basic-auth" and not any(key in data for key in _BASIC_AUTH):
        for key in _BASIC_AUTH:
            yield causes.required(f"data[{key}]")
    elif kind == "kubernetes.io/ssh-auth" and not data.get("ssh-privatekey"):
        yield causes.required("data[ssh-privatekey]")
    account = (manifest["metadata"].get("annotations") or {}).get(_ACCOUNT)
    if kind == "kubernetes.io/service-account-token" and not account:
        yield causes.required(f"metadata.annotations[{_ACCOUNT}]")


def _check_json(content: bytes, path: str) -> Iterator[Cause]:
    """A secret's content is not told."""
    try:
        value: Any = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        wrong = str(error) if content else "unexpected end of JSON input"
    else:
        if value is None or isinstance(value, dict):
            return
        kinds = {list: "array", str: "string", bool: "bool"}
        wrong = f"json: cannot unmarshal {kinds.get(type(value), 'number')} into {_MAP}"
    yield causes.invalid(path, "<secret contents redacted>", wrong)


def _check_keys(data: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for key in data:
        if len(key) > _KEY_LIMIT:
            yield causes.invalid(f"{path}[{key}]", key, f"must be no more than {_KEY_LIMIT} characters")
        if not key or not _KEY_CHARS.issuperset(key):
            yield causes.invalid(f"{path}[{key}]", key, _KEY_TEXT)
        if key in (".", ".."):
            yield causes.invalid(f"{path}[{key}]", key, f"must not be '{key}'")
        elif key.startswith(".."):
            yield causes.invalid(f"{path}[{key}]", key, "must not start with '..'")


def _decoded(data: Mapping[str, Any]) -> Iterator[tuple[str, bytes | None]]:
    """None for what is not in base64."""
    for key, value in data.items():
        try:
            yield key, base64.b64decode(value or "", validate=True)
        except (binascii.Error, TypeError, ValueError):
            yield key, None


def _check_base64(data: Mapping[str, bytes | None], path: str) -> Iterator[Cause]:
    for key, value in data.items():
        if value is None:
            yield causes.faulty(f"{path}[{key}]", "must be base64")


def _size(data: Mapping[str, bytes | None]) -> int:
    return sum(len(value or b"") for value in data.values())


def _check_immutable(request: AdmissionRequest, manifest: Manifest, fields: tuple[str, ...]) -> Iterator[Cause]:
    old, text = request.old, "field is immutable when `immutable` is set"
    if old is None or not old.get("immutable"):
        return
    if not manifest.get("immutable"):
        yield causes.forbidden("immutable", text)
    for field in fields:
        if (old.get(field) or {}) != (manifest.get(field) or {}):
            yield causes.forbidden(field, text)
