"""Defaults in a CRD's schema: their own schema has to accept them, and nothing of them may be pruned.

Rules and texts: k8s.io/apiextensions-apiserver pkg/apiserver/schema/defaulting ``ValidateDefaults``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portway.krm import causes
from portway.krm.cel import rules
from portway.krm.errors import Cause
from portway.krm.schemas import pruning, validating
from portway.krm.schemas.compiling import Schema
from portway.krm.schemas.findings import Finding
from portway.krm.values import copied


def check(schema: Schema, path: str) -> Iterator[Cause]:
    """Asked only of schemas that are structural."""
    if schema.get("default") is not None:
        yield from _fits(schema, schema["default"], f"{path}.default")
    for name, child in (schema.get("properties") or {}).items():
        yield from check(child, f"{path}.properties[{name}]")
    for name in ("additionalProperties", "items"):
        if isinstance(schema.get(name), dict):
            yield from check(schema[name], f"{path}.{name}")


def _fits(schema: Schema, default: Any, path: str) -> Iterator[Cause]:
    pruned = copied(default)
    if pruning.prune_value(schema, pruned):
        yield causes.invalid(path, default, "must not have unknown fields")
    found = validating.compile_check(schema)(copied(default)) or ()
    for finding in found:
        yield Finding(f"{path}{finding.path}", finding.reason, finding.say).cause()
    if not found:
        for cause in rules.validate(schema, default).causes:
            yield Cause(cause.reason, cause.message, f"{path}{_below(cause.field)}")


def _below(field: str) -> str:
    return f".{field}" if field and field[0] not in ".[" else field
