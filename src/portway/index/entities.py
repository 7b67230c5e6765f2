"""One entity of the catalog as pages need it, read once from its object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from portway.apis import wellknown as known
from portway.index.references import FIELDS, Key, Ref
from portway.krm.identity import Manifest


@dataclass(frozen=True, slots=True)
class Entity:
    key: Key
    kind: str
    """As written: Component, API, …"""
    name: str
    """As the descriptor wrote it (case kept)."""
    title: str
    description: str
    tags: tuple[str, ...]
    type: str
    lifecycle: str
    owner: Ref | None
    system: Ref | None
    health: str
    """healthy, progressing, degraded, unknown, or empty where health means nothing."""
    problems: int
    """Entries of level error or warning in status.items."""
    references: tuple[tuple[str, Ref], ...]
    """(relation, target) as the spec states them."""
    text: str
    """Lower-cased text that searches look into."""
    manifest: Manifest

    @property
    def ref(self) -> Ref:
        return self.key.ref

    @property
    def workspace(self) -> str:
        return self.key.workspace

    @property
    def label(self) -> str:
        return self.title or self.name


def workspace_of(manifest: Manifest) -> str:
    """Path of the workspace of an object that came from a wildcard read."""
    notes = (manifest.get("metadata") or {}).get("annotations") or {}
    return str(notes.get(known.WORKSPACE_PATH) or notes.get(known.CLUSTER) or "")


def key_of(manifest: Manifest) -> Key:
    metadata = manifest["metadata"]
    return Key(workspace_of(manifest), Ref(manifest["kind"].lower(), metadata.get("namespace", ""), metadata["name"]))


def read(manifest: Manifest) -> Entity:
    """Never raises on odd content: what is not of the expected type reads as absent."""
    key = key_of(manifest)
    spec, about, status = (_mapping(manifest.get(part)) for part in ("spec", "about", "status"))
    kind = manifest["kind"]
    references = tuple(_references(key, spec))
    profile = _mapping(spec.get("profile"))
    title = _text(about.get("title")) or _text(profile.get("displayName"))
    name = _text(about.get("name")) or key.ref.name
    tags = tuple(tag for tag in about.get("tags") or () if isinstance(tag, str))
    description = _text(about.get("description"))
    owner = next((ref for relation, ref in references if relation == "ownedBy"), None)
    system = next((ref for relation, ref in references if relation == "partOf" and ref.kind == "system"), None)
    words = (name, title, description, " ".join(tags), str(owner or ""), str(system or ""), _text(spec.get("type")))
    items = [item for item in status.get("items") or () if isinstance(item, dict)]
    return Entity(
        key=key,
        kind=kind,
        name=name,
        title=title,
        description=description,
        tags=tags,
        type=_text(spec.get("type")),
        lifecycle=_text(spec.get("lifecycle")),
        owner=owner,
        system=system,
        health=_text(status.get("health")) if status.get("deployments") or status.get("health") else "",
        problems=sum(item.get("level") in ("error", "warning") for item in items),
        references=references,
        text="\n".join((kind, *words, str(key.ref))).lower(),
        manifest=manifest,
    )


def _references(key: Key, spec: dict[str, Any]) -> Iterator[tuple[str, Ref]]:
    for name, field in FIELDS.get(key.ref.kind, {}).items():
        value = spec.get(name)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and (ref := Ref.parse(text, field.kind, key.ref.namespace)):
                yield field.relation, ref


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
