"""A URL path as what it addresses. Split by hand: this runs once per request, before anything is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

ROOT = "root"
WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class Target:
    """``resource`` is empty for a non-resource URL; ``cluster`` is the text of the URL (path or logical cluster)."""

    cluster: str
    path: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""
    service: str = ""
    """``apiexport``, ``initializingworkspaces`` or ``terminatingworkspaces`` for URLs below ``/services/``."""
    domain: str = ""
    """What the service is about: ``<cluster>/<export>`` or ``<path>:<type>``."""

    @property
    def is_resource(self) -> bool:
        return bool(self.resource)


@lru_cache(maxsize=4096)
def parse(path: str) -> Target:
    """``path`` is percent-decoded; a trailing slash means nothing."""
    if path.startswith("/services/"):
        found = _service(path)
        if found is not None:
            return found
    return _parse(path)


_DOMAIN_PARTS = {"apiexport": 2, "initializingworkspaces": 1, "terminatingworkspaces": 1}


def _service(path: str) -> Target | None:
    service, *parts = path.split("/")[2:]
    count = _DOMAIN_PARTS.get(service, 0)
    domain, rest = parts[:count], parts[count:]
    if not count or not all(domain) or len(domain) < count or len(rest) < 2 or rest[0] != "clusters":
        return None
    return replace(_parse("/" + "/".join(rest)), service=service, domain="/".join(domain))


def _parse(path: str) -> Target:
    cluster = ROOT
    if path.startswith("/clusters/"):
        cluster, _, rest = path[10:].partition("/")
        path = "/" + rest
    trimmed = path.rstrip("/") or "/"
    parts = trimmed.split("/")[1:]
    if parts[0] == "api" and len(parts) >= 3:
        return _resource(cluster, trimmed, "", parts[1], parts[2:])
    if parts[0] == "apis" and len(parts) >= 4:
        return _resource(cluster, trimmed, parts[1], parts[2], parts[3:])
    return Target(cluster, trimmed)


def _resource(cluster: str, path: str, group: str, version: str, parts: list[str]) -> Target:
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1 and not (len(parts) == 3 and parts[2] in ("status", "finalize")):
        if len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        elif not group:
            return Target(cluster, path, group, version, parts[1], "namespaces", parts[1])
    elif parts[0] == "namespaces" and len(parts) == 3 and not group:
        return Target(cluster, path, group, version, parts[1], "namespaces", parts[1], parts[2])
    name = parts[1] if len(parts) > 1 else ""
    subresource = "/".join(parts[2:])
    return Target(cluster, path, group, version, namespace, parts[0], name, subresource)
