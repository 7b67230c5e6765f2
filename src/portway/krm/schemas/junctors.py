"""allOf, anyOf, oneOf and not of a structural schema: they may only restrict values, of fields declared outside.

Rules and texts: k8s.io/apiextensions-apiserver pkg/apiserver/schema (validation.go, complete.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.schemas.compiling import Schema
from portway.krm.schemas.findings import display

NAMES = ("allOf", "anyOf", "oneOf")
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_NOT_INSIDE = {
    "type": "empty",
    "additionalProperties": "undefined",
    "default": "undefined",
    "title": "empty",
    "description": "empty",
    "nullable": "false",
    "x-kubernetes-preserve-unknown-fields": "false",
    "x-kubernetes-embedded-resource": "false",
    "x-kubernetes-int-or-string": "false",
    "x-kubernetes-list-map-keys": "empty",
    "x-kubernetes-list-type": "undefined",
    "x-kubernetes-map-type": "undefined",
    "x-kubernetes-validations": "empty",
}
"""What each field has to be."""
_STEP = re.compile(r"\.(?:allOf|anyOf|oneOf)\[\d+\]|\.not(?![A-Za-z])")


def check(schema: Schema, path: str, *, root: bool) -> Iterator[Cause]:
    """Upstream looks for the fields declared outside only from the junctors of the ``root``."""
    outside = schema if root else None
    for name in NAMES:
        branches = schema.get(name) or ()
        if name == "anyOf" and branches == _INT_OR_STRING:
            continue
        for index, branch in enumerate(branches):
            judged = _without_int_or_string(branch) if name == "allOf" and index == 0 else branch
            yield from _branch(judged, outside, f"{path}.{name}[{index}]")
    if isinstance(schema.get("not"), dict):
        yield from _branch(schema["not"], outside, f"{path}.not")


def _without_int_or_string(branch: Any) -> Any:
    """What makes both types of int-or-string explicit is allowed in the first allOf too."""
    if not isinstance(branch, dict) or branch.get("anyOf") != _INT_OR_STRING:
        return branch
    return {field: value for field, value in branch.items() if field != "anyOf"}


def _branch(branch: Any, outside: Schema | None, path: str) -> Iterator[Cause]:
    if not isinstance(branch, dict):
        yield Cause("FieldValueTypeInvalid", f"Invalid value: {display(branch)}: must be a schema", path)
        return
    for name, wanted in _NOT_INSIDE.items():
        if branch.get(name) or (name == "default" and branch.get(name) is not None):
            yield causes.forbidden(f"{path}.{name}", f"must be {wanted} to be structural")
    if "metadata" in (branch.get("properties") or {}):
        yield causes.forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")
    yield from _counterparts(branch, outside, path)
    for name in NAMES:
        for index, inner in enumerate(branch.get(name) or ()):
            yield from _branch(inner, outside, f"{path}.{name}[{index}]")
    if isinstance(branch.get("not"), dict):
        yield from _branch(branch["not"], outside, f"{path}.not")


def _counterparts(branch: Schema, outside: Schema | None, path: str) -> Iterator[Cause]:
    """Fields inside a junctor, each with the field outside that it restricts."""
    declared = (outside or {}).get("properties") or {}
    inner = {
        f"{path}.properties[{name}]": (child, declared.get(name))
        for name, child in (branch.get("properties") or {}).items()
    }
    if isinstance(branch.get("items"), dict):
        inner[f"{path}.items"] = (branch["items"], (outside or {}).get("items"))
    for where, (child, counterpart) in inner.items():
        if outside is None:
            yield from _branch(child, None, where)
        elif isinstance(counterpart, dict):
            yield from _branch(child, counterpart, where)
        else:
            yield causes.required(_STEP.sub("", where), f"because it is defined in {where}")
