"""Schemas of kinds that are known without a server: built-in ones, Portway's own, and those that files define."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portway.apis import installing
from portway.krm.builtins import catalogue, served_from_api_resource_schema, served_from_crd
from portway.krm.errors import StatusError
from portway.krm.served import Served
from portway.runtime.contract import Terminal

Kind = tuple[str, str]
"""apiVersion and kind."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """``complete`` are the groups of which all kinds are known, so that another one is a mistake."""

    schemas: Mapping[Kind, Mapping[str, Any]]
    complete: frozenset[str]

    def suggestion(self, version: str, kind: str) -> str:
        """What was probably meant; empty when nothing is near."""
        names = {f"{known} of {of}": (of, known) for of, known in self.schemas}
        group = version.rpartition("/")[0]
        exact = [title for title, (of, known) in names.items() if known == kind and of.rpartition("/")[0] == group]
        near = difflib.get_close_matches(f"{kind} of {version}", names, n=1, cutoff=0.9)
        return next(iter([*exact, *near]), "")


def known(documents: Iterable[Any]) -> Kinds:
    """All kinds, also those that CustomResourceDefinitions and ResourceTypes among the documents define."""
    builtin = list(_builtin())
    groups = {served.gvk.group for served in builtin} - {"resources.portway.dev"}
    defined = [served for document in documents for served in _defined(document)]
    schemas = {(each.gvk.api_version, each.gvk.kind): each.schema for each in (*defined, *builtin)}
    return Kinds(schemas, frozenset(groups))


def _builtin() -> Iterator[Served]:
    yield from catalogue.KINDS
    for own in installing.api_resource_schemas():
        for version in own["spec"]["versions"]:
            yield served_from_api_resource_schema(own, version["name"])


def _defined(document: Any) -> Iterator[Served]:
    """Nothing of a definition that is wrong: its own verdict says so."""
    try:
        kind = document.get("kind") if isinstance(document, dict) else None
        if kind == "CustomResourceDefinition":
            for version in document["spec"]["versions"]:
                yield served_from_crd(document, version["name"])
        elif kind == "ResourceType":
            from portway.controllers.resourcetypes import publishing

            _, schema = publishing.checked(document)
            yield served_from_api_resource_schema(schema, schema["spec"]["versions"][0]["name"])
    except (KeyError, TypeError, AttributeError, ValueError, StatusError, Terminal):
        return
