"""The resources that workloads ask for, as a graph: identities, sharing, order, cycles.

Identity is type + class + id. Without an id a resource belongs to its workload alone and gets the id
``workloads.<workload>.<alias>``; with one it is shared by all that name it. ``${resources.x…}`` in params makes an
edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from portway.orchestrator import placeholders
from portway.orchestrator.score.models import Resource, Workload


class Identity(NamedTuple):
    type: str
    class_: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}.{self.class_}#{self.id}"


class GraphError(Exception):
    """Resources that contradict each other; the message names them."""


@dataclass(frozen=True, slots=True)
class Node:
    identity: Identity
    params: Mapping[str, Any]
    """Placeholders not yet filled in."""
    shared: bool
    asked_by: tuple[tuple[str, str], ...]
    """(workload, alias) of everyone who asks for it."""
    needs: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """``nodes`` are in an order in which each comes after all it needs."""

    nodes: tuple[Node, ...]

    def of(self, workload: str) -> Mapping[str, Node]:
        """Alias → node."""
        return {alias: node for node in self.nodes for name, alias in node.asked_by if name == workload}


def identity(workload: str, resource: Resource) -> Identity:
    return Identity(resource.type, resource.class_, resource.id or f"workloads.{workload}.{resource.alias}")


def build(workloads: Iterable[Workload]) -> Graph:
    """Raises ``GraphError``: same identity with different params, an unknown alias, a cycle (with its path)."""
    nodes: dict[Identity, Node] = {}
    for workload in workloads:
        aliases = {r.alias: identity(workload.name, r) for r in workload.resources}
        for resource in workload.resources:
            own = aliases[resource.alias]
            node = Node(
                identity=own,
                params=resource.params,
                shared=bool(resource.id),
                asked_by=((workload.name, resource.alias),),
                needs=tuple(dict.fromkeys(_needs(resource, aliases))),
            )
            nodes[own] = _merged(nodes[own], node) if own in nodes else node
    return Graph(tuple(_ordered(nodes)))


def _needs(resource: Resource, aliases: Mapping[str, Identity]) -> Iterable[Identity]:
    for reference in placeholders.references(resource.params):
        if reference[0] != "resources" or len(reference) < 2:
            continue
        if reference[1] not in aliases:
            known = ", ".join(sorted(aliases))
            raise GraphError(
                f"resources.{resource.alias}.params refers to resources.{reference[1]}, which there is not; "
                f"there are {known}"
            )
        yield aliases[reference[1]]


def _merged(first: Node, second: Node) -> Node:
    if dict(first.params) != dict(second.params) and first.params and second.params:
        names = " and ".join(f"{workload}.{alias}" for workload, alias in (*first.asked_by, *second.asked_by))
        raise GraphError(
            f"{names} share the resource {first.identity} but give it different params; "
            "give both the same params, or only one of them"
        )
    params = first.params or second.params
    needs = tuple(dict.fromkeys((*first.needs, *second.needs)))
    return Node(first.identity, params, True, (*first.asked_by, *second.asked_by), needs)


def _ordered(nodes: Mapping[Identity, Node]) -> list[Node]:
    done: dict[Identity, Node] = {}
    trail: list[Identity] = []

    def visit(at: Identity) -> None:
        if at in done:
            return
        if at in trail:
            circle = [*trail[trail.index(at) :], at]
            raise GraphError("resources depend on each other in a circle: " + " → ".join(_names(nodes, circle)))
        trail.append(at)
        for needed in nodes[at].needs:
            visit(needed)
        trail.pop()
        done[at] = nodes[at]

    for at in nodes:
        visit(at)
    return list(done.values())


def _names(nodes: Mapping[Identity, Node], circle: Iterable[Identity]) -> Iterable[str]:
    return (".".join(nodes[at].asked_by[0]) for at in circle)
