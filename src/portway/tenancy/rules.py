"""What the workspace tree allows: pure questions about WorkspaceType specs. The API server asks, and refuses.

Source of the fields: kcp ``tenancy.kcp.io/v1alpha1`` WorkspaceTypeSpec (extend, limitAllowedChildren,
limitAllowedParents).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

DEPTH_LIMIT = 10
"""Names in a path, the root included; deeper trees are refused so that URLs and look-ups stay bounded."""


class TypeReference(NamedTuple):
    """Which WorkspaceType: the path of the workspace that holds it, and its name."""

    path: str
    name: str

    @classmethod
    def of(cls, reference: Mapping[str, Any]) -> TypeReference:
        return cls(reference.get("path") or "root", reference.get("name") or "")


TypeSpecs = Callable[[TypeReference], Mapping[str, Any] | None]
"""The spec of a WorkspaceType, or None when there is none."""


def lineage(start: TypeReference, specs: TypeSpecs) -> tuple[TypeReference, ...]:
    """The type and all types it extends, itself first, each once (circles are harmless)."""
    found: dict[TypeReference, None] = {}
    waiting = [start]
    while waiting:
        reference = waiting.pop(0)
        if reference in found:
            continue
        found[reference] = None
        extend = (specs(reference) or {}).get("extend") or {}
        waiting.extend(TypeReference.of(item) for item in extend.get("with") or ())
    return tuple(found)


def refusal(parent: TypeReference, child: TypeReference, specs: TypeSpecs) -> str | None:
    """Why a workspace of type ``child`` may not be made in one of type ``parent``; None when it may."""
    parents, children = lineage(parent, specs), lineage(child, specs)
    limits = (specs(parent) or {}).get("limitAllowedChildren")
    if not _allowed(limits, children):
        return f"workspaces of type {parent.name!r} may not contain workspaces of type {child.name!r}"
    limits = (specs(child) or {}).get("limitAllowedParents")
    if not _allowed(limits, parents):
        return f"workspaces of type {child.name!r} may not be made in workspaces of type {parent.name!r}"
    return None


def _allowed(limits: Mapping[str, Any] | None, candidates: tuple[TypeReference, ...]) -> bool:
    if not limits:
        return True
    if limits.get("none"):
        return False
    types = [TypeReference.of(item) for item in limits.get("types") or ()]
    return not types or any(candidate in types for candidate in candidates)
