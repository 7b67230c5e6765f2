"""The filters that Backstage adds, by its rules (plugin scaffolder-backend, lib/templating/filters)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

_REF = re.compile(r"^(?:(?P<kind>[^:/]+):)?(?:(?P<namespace>[^:/]+)/)?(?P<name>[^:/]+)$")


class FilterError(Exception):
    """What was given is not of the form that the filter reads."""


def parse_repo_url(value: Any) -> dict[str, str]:
    """``github.com?owner=o&repo=r`` → host, owner, repo (and organization, workspace, project when given)."""
    if not isinstance(value, str) or "?" not in value:
        raise FilterError(f"parseRepoUrl: {value!r} is not of the form host?owner=…&repo=…")
    parts = urlsplit(f"https://{value}")
    found = {"host": parts.netloc}
    for key, given in parse_qs(parts.query).items():
        found[key] = given[0]
    if not found.get("repo"):
        raise FilterError(f"parseRepoUrl: {value!r} names no repo")
    return found


def parse_entity_ref(value: Any, context: Mapping[str, str] | None = None) -> dict[str, str]:
    """``component:default/orders`` → kind, namespace, name. ``context``: defaultKind, defaultNamespace."""
    match = _REF.match(value) if isinstance(value, str) else None
    if match is None:
        raise FilterError(f"parseEntityRef: {value!r} is not of the form kind:namespace/name")
    defaults = context or {}
    kind = match["kind"] or defaults.get("defaultKind") or defaults.get("kind")
    if not kind:
        raise FilterError(f"parseEntityRef: {value!r} has no kind, and no default was given")
    namespace = match["namespace"] or defaults.get("defaultNamespace") or defaults.get("namespace") or "default"
    return {"kind": kind.lower(), "namespace": namespace.lower(), "name": match["name"]}


def pick(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def project_slug(value: Any) -> str:
    """``owner/repo`` of a repository URL as the RepoUrlPicker gives it."""
    found = parse_repo_url(value)
    return f"{found.get('owner') or found.get('project', '')}/{found['repo']}"


def jsonify(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def dump(value: Any, spaces: int | None = None) -> str:
    """Compact as JavaScript writes it, or indented."""
    if spaces:
        return json.dumps(value, ensure_ascii=False, default=str, indent=min(int(spaces), 16))
    return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))


def pairs(value: Any) -> Any:
    """What ``for key, value in …`` goes over: a mapping by its entries, as Nunjucks does."""
    return list(value.items()) if isinstance(value, Mapping) else value


FILTERS: Mapping[str, Callable[..., Any]] = {
    "parseRepoUrl": parse_repo_url,
    "parseEntityRef": parse_entity_ref,
    "pick": pick,
    "projectSlug": project_slug,
    "jsonify": jsonify,
    "dump": dump,
    "pairs": pairs,
}
