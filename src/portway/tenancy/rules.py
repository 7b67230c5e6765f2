"""What the workspace tree allows, and what a type brings: pure questions about WorkspaceType specs.

Source of the fields: kcp ``tenancy.kcp.io/v1alpha1`` WorkspaceTypeSpec (extend, initializer, terminator,
additionalWorkspaceLabels, defaultChildWorkspaceType, limitAllowedChildren, limitAllowedParents).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

DEPTH_LIMIT = 10
"""Names in a path, the root included; deeper trees are refused so that URLs and look-ups stay bounded."""


class TypeReference(NamedTuple):
    """Which WorkspaceType: the path of the workspace that holds it, and its name."""

    path: str
    name: str

    @classmethod
    def of(cls, reference: Mapping[str, Any], path: str = "root") -> TypeReference:
        """``path`` counts when the reference has none."""
        return cls(reference.get("path") or path, reference.get("name") or "")

    @classmethod
    def parse(cls, text: str) -> TypeReference:
        """From ``root:acme:team``, or with a logical cluster instead of the path, as initializers are named."""
        path, _, name = text.rpartition(":")
        return cls(path, name)

    def __str__(self) -> str:
        return f"{self.path}:{self.name}"


TypeSpecs = Callable[[TypeReference], Mapping[str, Any] | None]
"""The spec of a WorkspaceType, or None when there is none."""


def lineage(start: TypeReference, specs: TypeSpecs) -> tuple[TypeReference, ...]:
    """The type and all types it extends, itself first, each once (circles are harmless).

    A type named by ``extend.without`` is left out, with what only it brings.
    """
    found: dict[TypeReference, None] = {}
    without: set[TypeReference] = set()
    waiting = [start]
    while waiting:
        reference = waiting.pop(0)
        if reference in found or reference in without:
            continue
        found[reference] = None
        extend = (specs(reference) or {}).get("extend") or {}
        without.update(_references(extend.get("without"), reference.path))
        without.discard(start)
        waiting.extend(_references(extend.get("with"), reference.path))
    return tuple(found)


def refusal(parent: TypeReference, child: TypeReference, specs: TypeSpecs) -> str | None:
    """Why a workspace of type ``child`` may not be made in one of type ``parent``; None when it may.

    Limits of extended types hold too; a limit that names a type allows all types that extend it.
    """
    parents, children = lineage(parent, specs), lineage(child, specs)
    if not all(_allowed(one, "limitAllowedChildren", children, specs) for one in parents):
        return f"workspaces of type {parent.name!r} may not contain workspaces of type {child.name!r}"
    if not all(_allowed(one, "limitAllowedParents", parents, specs) for one in children):
        return f"workspaces of type {child.name!r} may not be made in workspaces of type {parent.name!r}"
    return None


def waiting_for(field: str, types: Iterable[TypeReference], specs: TypeSpecs) -> list[TypeReference]:
    """The types whose controller prepares (``initializer``) or cleans up (``terminator``) a workspace."""
    return [one for one in types if (specs(one) or {}).get(field)]


def labels(types: Iterable[TypeReference], specs: TypeSpecs) -> dict[str, str]:
    """Labels every workspace of such a type gets; the nearest type decides."""
    merged: dict[str, str] = {}
    for one in types:
        merged = {**((specs(one) or {}).get("additionalWorkspaceLabels") or {}), **merged}
    return merged


def default_child(types: Iterable[TypeReference], specs: TypeSpecs) -> TypeReference | None:
    """The type of a workspace below when none is asked for; the nearest type that says decides."""
    for one in types:
        named = (specs(one) or {}).get("defaultChildWorkspaceType")
        if named:
            return TypeReference.of(named, one.path)
    return None


def bindings(types: Iterable[TypeReference], specs: TypeSpecs) -> Iterator[tuple[str, str]]:
    """(path, export) to be bound in every workspace of such a type."""
    for one in types:
        for binding in (specs(one) or {}).get("defaultAPIBindings") or ():
            yield binding.get("path") or one.path, binding["export"]


def _allowed(limiting: TypeReference, field: str, candidates: tuple[TypeReference, ...], specs: TypeSpecs) -> bool:
    limits = (specs(limiting) or {}).get(field)
    if not limits:
        return True
    if limits.get("none"):
        return False
    types = _references(limits.get("types"), limiting.path)
    return not types or any(candidate in types for candidate in candidates)


def _references(items: Iterable[Mapping[str, Any]] | None, path: str) -> list[TypeReference]:
    return [TypeReference.of(item, path) for item in items or ()]
