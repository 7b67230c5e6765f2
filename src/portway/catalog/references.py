"""Entity references: ``[kind:][namespace/]name``, compared without case.

Format: Backstage's "Descriptor format of catalog entities", section on references.
"""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_NAMESPACE = "default"


class EntityRef(NamedTuple):
    """A complete reference, lower-cased, so that equal references are equal values."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}"


class BadReference(ValueError):
    """The text is no entity reference; the message says what was expected."""


def parse(text: str, *, kind: str = "", namespace: str = DEFAULT_NAMESPACE) -> EntityRef:
    """Read a reference; ``kind`` and ``namespace`` are the defaults of the field it stands in.

    Raises BadReference when a part is empty, or when no kind is given and the field has no default.
    """
    rest = text.strip()
    given_kind, colon, after = rest.partition(":")
    if colon:
        rest = after
    else:
        given_kind = kind
    given_namespace, slash, name = rest.rpartition("/")
    if not slash:
        given_namespace, name = namespace, rest
    if not given_kind or not given_namespace or not name or ":" in name or "/" in given_namespace:
        expected = "kind:namespace/name" if not kind else f"[{kind.lower()}:][namespace/]name"
        raise BadReference(f'"{text}" is no entity reference, expected {expected}')
    return EntityRef(given_kind.lower(), given_namespace.lower(), name.lower())


def object_name(name: str) -> str:
    """The Kubernetes object name of an entity: lower case, with ``_`` as ``-``."""
    return name.lower().replace("_", "-")
