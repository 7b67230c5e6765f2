"""Rules for catalog descriptors: envelope, names, tags, and the fields each kind requires.

Source: Backstage's "Descriptor format of catalog entities". What it allows besides (unknown metadata and spec
keys) is allowed here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from portway.catalog import references, relations

API_VERSIONS = ("backstage.io/v1alpha1", "backstage.io/v1beta1", "catalog.portway.dev/v1alpha1")
TEMPLATE_API_VERSIONS = ("scaffolder.backstage.io/v1beta3", "portal.portway.dev/v1alpha1")

_NAME = re.compile(r"[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*")
_NAMESPACE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.IGNORECASE)
_TAG = re.compile(r"[a-z0-9:+#]+(-[a-z0-9:+#]+)*")
_KEY_PREFIX = re.compile(r"[a-z0-9]+([-.][a-z0-9]+)*", re.IGNORECASE)
_KEY_NAME = re.compile(r"[A-Za-z0-9]+([-_.]+[A-Za-z0-9]+)*")


class Problem(NamedTuple):
    """What is wrong where: ``path`` such as ``("spec", "owner")``; ``message`` says what was expected."""

    path: tuple[str | int, ...]
    message: str

    @property
    def field(self) -> str:
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
        return text


class _Rule(NamedTuple):
    required: tuple[str, ...]
    texts: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


KINDS: Mapping[str, _Rule] = {
    "component": _Rule(
        ("type", "lifecycle", "owner"),
        ("type", "lifecycle", "owner", "system", "subcomponentOf"),
        ("providesApis", "consumesApis", "dependsOn", "dependencyOf"),
    ),
    "api": _Rule(("type", "lifecycle", "owner"), ("type", "lifecycle", "owner", "system")),
    "resource": _Rule(("type", "owner"), ("type", "owner", "system"), ("dependsOn", "dependencyOf")),
    "system": _Rule(("owner",), ("owner", "domain", "type")),
    "domain": _Rule(("owner",), ("owner", "subdomainOf", "type")),
    "group": _Rule(("type",), ("type", "parent"), ("children", "members")),
    "user": _Rule((), (), ("memberOf",)),
    "location": _Rule((), ("type", "target"), ("targets",)),
}
"""By lower-cased kind. Templates are checked by the scaffolder."""

_EXPECTED_KINDS = "expected one of Component, API, Resource, System, Domain, Group, User, Location, Template"


def check(document: Any) -> list[Problem]:
    """All problems of one decoded document; an empty list means that it is valid."""
    if not isinstance(document, Mapping):
        return [Problem((), "expected an object with apiVersion, kind, metadata and spec")]
    problems = list(_check_envelope(document))
    if problems:
        return problems
    problems = list(_check_metadata(document["metadata"]))
    kind = str(document["kind"]).lower()
    if kind in KINDS:
        problems += _check_spec(kind, document.get("spec"))
    return problems


def _check_envelope(document: Mapping[str, Any]) -> Iterator[Problem]:
    version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(version, str) or not version:
        yield Problem(("apiVersion",), f"is required, expected {API_VERSIONS[0]}")
    elif version not in API_VERSIONS + TEMPLATE_API_VERSIONS:
        yield Problem(("apiVersion",), f'"{version}" is not known, expected {API_VERSIONS[0]}')
    if not isinstance(kind, str) or not kind:
        yield Problem(("kind",), f"is required, {_EXPECTED_KINDS}")
    elif kind.lower() != "template" and kind.lower() not in KINDS:
        yield Problem(("kind",), f'"{kind}" is not known, {_EXPECTED_KINDS}')
    if not isinstance(document.get("metadata"), Mapping):
        yield Problem(("metadata",), "is required, expected an object with a name")


def _check_metadata(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _check_name(metadata)
    namespace = metadata.get("namespace")
    if namespace is not None and not _matches(_NAMESPACE, namespace):
        yield Problem(
            ("metadata", "namespace"), f"{namespace!r} is no namespace, expected letters, digits and single -"
        )
    for field in ("title", "description"):
        if metadata.get(field) is not None and not isinstance(metadata[field], str):
            yield Problem(("metadata", field), "expected text")
    yield from _check_keys(metadata)
    tags = metadata.get("tags")
    for index, tag in _items(tags):
        if not _matches(_TAG, tag):
            yield Problem(
                ("metadata", "tags", index), f"{tag!r} is no tag, expected a-z, 0-9, :, + or # separated by -"
            )
    if tags is not None and not isinstance(tags, list):
        yield Problem(("metadata", "tags"), "expected a list of tags")
    for index, link in _items(metadata.get("links")):
        if not isinstance(link, Mapping) or not isinstance(link.get("url"), str) or not link["url"]:
            yield Problem(("metadata", "links", index), "expected an object with a url")


def _check_name(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    name = metadata.get("name")
    if name is None or name == "":
        yield Problem(("metadata", "name"), "is required")
    elif not _matches(_NAME, name):
        expected = "1 to 63 of A-Z, a-z, 0-9, separated by one of - _ ."
        yield Problem(("metadata", "name"), f"{name!r} is no name, expected {expected}")


def _check_keys(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    for field in ("labels", "annotations"):
        pairs = metadata.get(field)
        if pairs is None:
            continue
        if not isinstance(pairs, Mapping):
            yield Problem(("metadata", field), "expected an object of text values")
            continue
        for key, value in pairs.items():
            prefix, slash, name = str(key).rpartition("/")
            if not _matches(_KEY_NAME, name) or (slash and not _matches(_KEY_PREFIX, prefix, 253)):
                yield Problem(("metadata", field, str(key)), "is no key, expected [prefix/]name")
            if not isinstance(value, str):
                yield Problem(("metadata", field, str(key)), f"expected text, found {_type(value)} (put it in quotes)")


def _check_spec(kind: str, spec: Any) -> Iterator[Problem]:
    rule = KINDS[kind]
    if not isinstance(spec, Mapping):
        yield Problem(("spec",), "is required, expected an object")
        return
    for field in rule.required:
        if spec.get(field) is None or spec.get(field) == "":
            yield Problem(("spec", field), "is required")
    for field in rule.texts:
        if spec.get(field) not in (None, "") and not isinstance(spec[field], str):
            yield Problem(("spec", field), f"expected text, found {_type(spec[field])}")
    for field in rule.lists:
        if spec.get(field) is not None and not _is_texts(spec[field]):
            yield Problem(("spec", field), "expected a list of texts")
    yield from _check_references(kind, spec)
    yield from _EXTRA.get(kind, _nothing)(spec)


def _check_references(kind: str, spec: Mapping[str, Any]) -> Iterator[Problem]:
    for field in relations.FIELDS[kind]:
        for text in relations.listed(spec.get(field.field)):
            try:
                references.parse(text, kind=field.default_kind)
            except references.BadReference as error:
                yield Problem(("spec", field.field), str(error))


def _check_api(spec: Mapping[str, Any]) -> Iterator[Problem]:
    if spec.get("type") == "mcp-server" and spec.get("remotes"):
        return
    definition = spec.get("definition")
    if definition is None or definition == "":
        yield Problem(("spec", "definition"), "is required")
    elif not isinstance(definition, str | Mapping):
        yield Problem(("spec", "definition"), "expected text or one of $text, $json, $yaml")


def _check_group(spec: Mapping[str, Any]) -> Iterator[Problem]:
    if spec.get("children") is None and "children" not in spec:
        yield Problem(("spec", "children"), "is required, expected a list (it may be empty)")


def _check_location(spec: Mapping[str, Any]) -> Iterator[Problem]:
    presence = spec.get("presence")
    if presence is not None and presence not in ("required", "optional"):
        yield Problem(("spec", "presence"), f"{presence!r} is not known, expected required or optional")


def _nothing(_spec: Mapping[str, Any]) -> Iterator[Problem]:
    return iter(())


_EXTRA: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Problem]]] = {
    "api": _check_api,
    "group": _check_group,
    "location": _check_location,
}


def _matches(pattern: re.Pattern[str], value: Any, longest: int = 63) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and pattern.fullmatch(value) is not None


def _items(value: Any) -> Iterator[tuple[int, Any]]:
    return iter(enumerate(value)) if isinstance(value, list) else iter(())


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _type(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", dict: "an object", list: "a list"}
    return names.get(type(value), "nothing" if value is None else type(value).__name__)
