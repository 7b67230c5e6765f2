"""String formats that Kubernetes checks; unknown formats are accepted, as upstream does.

Source: k8s.io/kube-openapi pkg/validation/strfmt and the list in apiextensions-apiserver.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

Check = Callable[[str], bool]

_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?([0-9a-f])[0-9a-f]{3}-?([0-9a-f])[0-9a-f]{3}-?[0-9a-f]{12}")
_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):?[0-5]\d)"
)
_GO_DURATION = re.compile(r"[+-]?(0|(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))*")
_WORD_DURATION = re.compile(
    r"(?i)\d+\s*(ns|nanos?|us|µs|micros?|ms|millis?|s|secs?|m|mins?|h|hrs?|hours?|d|days?|w|weeks?)"
)
_LABEL = r"[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?"
_HOSTNAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_MAC = re.compile(r"(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}(([:-][0-9a-f]{2}){2})?|([0-9a-f]{4}\.){2,3}[0-9a-f]{4}")
_HEX_COLOR = re.compile(r"(?i)#?([0-9a-f]{3}|[0-9a-f]{6})")
_RGB_COLOR = re.compile(r"rgb\((\s*(25[0-5]|2[0-4]\d|1?\d?\d)\s*,){2}\s*(25[0-5]|2[0-4]\d|1?\d?\d)\s*\)")
_SHORT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LONG_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_CARD = re.compile(r"\d{13,19}")


def _date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


@lru_cache(maxsize=2048)
def _date_time(text: str) -> bool:
    found = _DATE_TIME.fullmatch(text)
    return found is not None and _date(found.group(1))


def _duration(text: str) -> bool:
    return bool(_GO_DURATION.fullmatch(text) or _WORD_DURATION.fullmatch(text))


def _bytes(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _address(version: int) -> Check:
    def check(text: str) -> bool:
        try:
            return ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return check


def _network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) or text.startswith("/")


def _uuid(version: str = "") -> Check:
    def check(text: str) -> bool:
        found = _UUID.fullmatch(text)
        if not found or not version:
            return bool(found)
        return found.group(1) == version and (version == "3" or found.group(2).lower() in "89ab")

    return check


def _card(text: str) -> bool:
    digits = re.sub(r"[ -]", "", text)
    if not _CARD.fullmatch(digits):
        return False
    doubled = [int(d) * 2 for d in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def _isbn10(text: str) -> bool:
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"\d{9}[\dX]", digits):
        return False
    return sum((10 - i) * (10 if d == "X" else int(d)) for i, d in enumerate(digits)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"\d{13}", digits):
        return False
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0


def _full(pattern: re.Pattern[str], limit: int = 1 << 20) -> Check:
    return lambda text: len(text) <= limit and pattern.fullmatch(text) is not None


CHECKS: Final[dict[str, Check]] = {
    "bsonobjectid": _full(re.compile(r"(?i)[0-9a-f]{24}")),
    "byte": _bytes,
    "cidr": _network,
    "creditcard": _card,
    "date": _date,
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": _duration,
    "email": _full(_EMAIL),
    "hexcolor": _full(_HEX_COLOR),
    "hostname": _full(_HOSTNAME, 255),
    "ipv4": _address(4),
    "ipv6": _address(6),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8s-long-name": _full(_LONG_NAME, 253),
    "k8s-short-name": _full(_SHORT_NAME, 63),
    "mac": _full(_MAC),
    "rgbcolor": _full(_RGB_COLOR),
    "ssn": _full(re.compile(r"\d{3}[- ]?\d{2}[- ]?\d{4}")),
    "uri": _uri,
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4"),
    "uuid5": _uuid("5"),
}
"""By format name; ``password`` and everything not listed is accepted."""


_OF_NUMBERS: Final = {"integer": ("int32", "int64"), "number": ("double", "float")}


def strange(schema: Any) -> Iterator[str]:
    """Formats in a schema that nothing checks."""
    if not isinstance(schema, Mapping):
        return
    name, kind = schema.get("format"), schema.get("type") or "string"
    if name:
        known = _OF_NUMBERS.get(kind, ())
        if name not in known and not (kind == "string" and (name == "password" or _is_checked(name))):
            yield name
    for field in ("properties", "definitions", "patternProperties"):
        for child in (schema.get(field) or {}).values():
            yield from strange(child)
    for field in ("allOf", "anyOf", "oneOf"):
        for child in schema.get(field) or ():
            yield from strange(child)
    for field in ("items", "additionalProperties", "not"):
        yield from strange(schema.get(field))


def _is_checked(name: str) -> bool:
    return name in CHECKS or name.replace("-", "") in CHECKS
