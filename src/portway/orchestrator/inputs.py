"""A definition's inputs filled in for one claim: ``${claim.…}`` and ``${context.…}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.krm.identity import Manifest
from portway.orchestrator import placeholders
from portway.orchestrator.matching import Context

CONTEXT_FIELDS = ("workspace", "environment", "envType", "class", "id")


def fill(inputs: Mapping[str, Any], claim: Manifest, context: Context) -> dict[str, Any]:
    """Raises ``placeholders.Unresolved``. A value that is one placeholder keeps its type.

    A placeholder for a claim parameter that was not given makes its (top-level or nested) key absent, so that the
    driver's default holds.
    """
    known = {
        "workspace": context.workspace,
        "environment": context.environment,
        "envType": context.env_type,
        "class": context.class_,
        "id": context.resource_id,
    }

    def lookup(reference: placeholders.Reference) -> Any:
        root, rest = reference[0], reference[1:]
        if root == "context":
            return placeholders.walk(known, rest, of="context")
        if root == "claim" and rest[:1] == ("spec",):
            return placeholders.walk(claim.get("spec") or {}, rest[1:], of="claim.spec")
        if root == "claim" and rest[:1] == ("metadata",):
            return placeholders.walk(claim.get("metadata") or {}, rest[1:], of="claim.metadata")
        raise LookupError("references start with claim.spec, claim.metadata or context")

    given = _without_absent(dict(inputs), claim.get("spec") or {})
    return dict(placeholders.resolve(given, lookup, typed=True))


def check(inputs: Mapping[str, Any]) -> list[str]:
    """Sentences about placeholders that can never be filled in."""
    problems = []
    for reference in placeholders.references(inputs):
        written = "${" + ".".join(reference) + "}"
        if reference[0] == "context" and len(reference) == 2 and reference[1] in CONTEXT_FIELDS:
            continue
        if reference[0] == "claim" and len(reference) >= 2 and reference[1] in ("spec", "metadata"):
            continue
        problems.append(
            f"{written} is not known; use ${{claim.spec.…}}, ${{claim.metadata.…}} or ${{context.…}} with "
            + ", ".join(CONTEXT_FIELDS)
        )
    return problems


def _without_absent(value: Any, spec: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {k: _without_absent(v, spec) for k, v in value.items() if not _is_absent(v, spec)}
    if isinstance(value, list):
        return [_without_absent(v, spec) for v in value if not _is_absent(v, spec)]
    return value


def _is_absent(value: Any, spec: Mapping[str, Any]) -> bool:
    reference = placeholders.sole(value)
    if reference is None or reference[:2] != ("claim", "spec"):
        return False
    try:
        placeholders.walk(spec, reference[2:], of="claim.spec")
    except LookupError:
        return True
    return False
