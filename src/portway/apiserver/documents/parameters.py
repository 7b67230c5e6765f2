"""The query and path parameters of the API, in both spellings of OpenAPI."""

from __future__ import annotations

from typing import Any

_QUERY: dict[str, tuple[str, str]] = {
    "allowWatchBookmarks": ("boolean", "Let a watch send BOOKMARK events that only carry a resource version."),
    "continue": ("string", "Token of the previous page of a list; gets the next one."),
    "dryRun": ("string", "All: go through everything but do not store."),
    "fieldManager": ("string", "Name of who makes the change, for field ownership; at most 128 characters."),
    "fieldSelector": ("string", "Only objects with these fields, such as metadata.name=one."),
    "fieldValidation": (
        "string",
        "What to do about unknown and duplicate fields: Ignore, Warn (the default) or Strict.",
    ),
    "force": ("boolean", "Take over fields that other managers own; for server-side apply only."),
    "gracePeriodSeconds": ("integer", "Seconds until the object goes; 0 is at once."),
    "ignoreStoreReadErrorWithClusterBreakingPotential": ("boolean", "Delete even what cannot be read from storage."),
    "labelSelector": ("string", "Only objects with these labels, such as app=web,tier!=cache."),
    "limit": ("integer", "At most this many items; the list then carries a token for the next page."),
    "orphanDependents": ("boolean", "Replaced by propagationPolicy."),
    "pretty": ("string", "true: indent the answer."),
    "propagationPolicy": ("string", "What happens to dependents: Orphan, Background or Foreground."),
    "resourceVersion": ("string", "State to read, or to watch from."),
    "resourceVersionMatch": ("string", "How resourceVersion is meant: Exact or NotOlderThan."),
    "sendInitialEvents": ("boolean", "Begin a watch with the present objects and a bookmark after them."),
    "timeoutSeconds": ("integer", "End the request after this many seconds."),
    "watch": ("boolean", "Stream changes instead of returning a list."),
}
_PATH = {"name": "name of the object", "namespace": "namespace of the object"}


def query(name: str, *, v2: bool = False) -> dict[str, Any]:
    type_, description = _QUERY[name]
    typed = {"type": type_, "uniqueItems": True}
    return _spelled(name, "query", description, typed, v2=v2)


def path(name: str, *, v2: bool = False) -> dict[str, Any]:
    typed = {"type": "string", "uniqueItems": True}
    return {**_spelled(name, "path", _PATH[name], typed, v2=v2), "required": True}


def _spelled(name: str, place: str, description: str, typed: dict[str, Any], *, v2: bool) -> dict[str, Any]:
    head: dict[str, Any] = {"name": name, "in": place, "description": description}
    return {**head, **typed} if v2 else {**head, "schema": typed}
