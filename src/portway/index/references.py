"""Entity references (``kind:namespace/name``) and the names of relations, as Backstage writes them."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_NAMESPACE = "default"


class Ref(NamedTuple):
    """A reference; all parts are lower-cased, as references compare without case."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}"

    @property
    def short(self) -> str:
        """The name, with its namespace unless that is the default one."""
        return self.name if self.namespace == DEFAULT_NAMESPACE else f"{self.namespace}/{self.name}"

    @classmethod
    def parse(cls, text: str, kind: str, namespace: str = DEFAULT_NAMESPACE) -> Ref | None:
        """Read ``[kind:][namespace/]name``; None when there is no name in it."""
        head, colon, rest = text.strip().lower().partition(":")
        if not colon:
            head, rest = kind.lower(), head
        before, slash, name = rest.partition("/")
        if not slash:
            before, name = namespace.lower(), before
        if not name or not head or not before:
            return None
        return cls(head, before, name.replace("_", "-"))


class Key(NamedTuple):
    """Where an entity is: a reference in a workspace."""

    workspace: str
    ref: Ref


class Field(NamedTuple):
    """A field of a spec that refers to others: the relation it means, and the kind of short references."""

    relation: str
    kind: str


INVERSE = {
    "ownedBy": "ownerOf",
    "partOf": "hasPart",
    "providesApi": "apiProvidedBy",
    "consumesApi": "apiConsumedBy",
    "dependsOn": "dependencyOf",
    "parentOf": "childOf",
    "memberOf": "hasMember",
}
INVERSE |= {inverse: relation for relation, inverse in INVERSE.items()}

_OWNER = {"owner": Field("ownedBy", "group")}
_SYSTEM = {"system": Field("partOf", "system")}
_DEPENDENCIES = {"dependsOn": Field("dependsOn", "component"), "dependencyOf": Field("dependencyOf", "component")}

FIELDS: dict[str, dict[str, Field]] = {
    "component": {
        **_OWNER,
        **_SYSTEM,
        **_DEPENDENCIES,
        "subcomponentOf": Field("partOf", "component"),
        "providesApis": Field("providesApi", "api"),
        "consumesApis": Field("consumesApi", "api"),
    },
    "api": {**_OWNER, **_SYSTEM},
    "resource": {**_OWNER, **_SYSTEM, **_DEPENDENCIES},
    "system": {**_OWNER, "domain": Field("partOf", "domain")},
    "domain": {**_OWNER, "subdomainOf": Field("partOf", "domain")},
    "group": {
        "parent": Field("childOf", "group"),
        "children": Field("parentOf", "group"),
        "members": Field("hasMember", "user"),
    },
    "user": {"memberOf": Field("memberOf", "group")},
    "template": {**_OWNER},
}
"""By kind: which fields of its spec refer to what. Source: the Backstage descriptor format."""
