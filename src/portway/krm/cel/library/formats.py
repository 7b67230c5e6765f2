"""``format.dns1123Label().validate(text)``: named checks, with the messages of k8s.io/apimachinery."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from portway.krm.cel import values
from portway.krm.cel.library.declaring import Library
from portway.krm.cel.library.networks import _is, _url
from portway.krm.cel.values import NONE, EvaluationError, Optional

LIBRARY = Library()
declare = LIBRARY.declare
Check = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    check: Check
    type_name: ClassVar[str] = "kubernetes.NamedFormat"


def _shaped(pattern: str, limit: int, what: str, examples: str) -> Check:
    compiled = re.compile(pattern, re.ASCII)
    shape = f"{what} (e.g. {examples}, regex used for validation is '{pattern}')"

    def check(text: str) -> list[str]:
        found = [f"must be no more than {limit} characters"] if len(text) > limit else []
        return found if compiled.fullmatch(text) else [*found, shape]

    return check


_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_label = _shaped(
    _LABEL,
    63,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character",
    "'my-name',  or '123-abc'",
)
_subdomain = _shaped(
    _SUBDOMAIN,
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character",
    "'example.com'",
)
_dns1035 = _shaped(
    "[a-z]([-a-z0-9]*[a-z0-9])?",
    63,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    "'my-name',  or 'abc-123'",
)
_name_part = _shaped(
    "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
    63,
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character",
    "'MyName',  or 'my.name',  or '123-abc'",
)
_label_value = _shaped(
    "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
    63,
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character",
    "'MyValue',  or 'my_value',  or '12345'",
)


def _qualified_name(text: str) -> list[str]:
    prefix, slash, name = text.rpartition("/")
    found = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found += [f"prefix part {why}" for why in _subdomain(prefix)]
    return found + _name_part(name)


def _prefix(check: Check) -> Check:
    return lambda text: check(text[:-1] + "a" if text.endswith("-") else text)


def _fails(test: Callable[[str], Any], why: str) -> Check:
    def check(text: str) -> list[str]:
        try:
            return [] if test(text) else [why]
        except (ValueError, EvaluationError, binascii.Error):
            return [why]

    return check


_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.I)
_FORMATS = {
    "dns1123Label": _label,
    "dns1123Subdomain": _subdomain,
    "dns1035Label": _dns1035,
    "qualifiedName": _qualified_name,
    "dns1123LabelPrefix": _prefix(_label),
    "dns1123SubdomainPrefix": _prefix(_subdomain),
    "dns1035LabelPrefix": _prefix(_dns1035),
    "labelValue": _label_value,
    "uri": _fails(_is(_url), "invalid URI for request"),
    "uuid": _fails(_UUID.fullmatch, "does not match the UUID format"),
    "byte": _fails(lambda text: base64.b64decode(text, validate=True) is not None, "invalid base64"),
    "date": _fails(lambda text: len(text) == 10 and date.fromisoformat(text), "invalid date"),
    "datetime": _fails(values.timestamp, "invalid datetime"),
}
_NAMED = {name: Format(name, check) for name, check in _FORMATS.items()}


def _validate(format_: Format, text: str) -> Optional:
    found = format_.check(text)
    return Optional(found) if found else NONE


for _name, _format in _NAMED.items():
    declare(f"format.{_name}", f"() {Format.type_name}", lambda found=_format: found)
declare(
    "format.named",
    f"(string) optional({Format.type_name})",
    lambda name: Optional(_NAMED[name]) if name in _NAMED else NONE,
)
declare("validate", f"{Format.type_name}.(string) optional(list(string))", _validate)
