"""Paths of resources, from names that users may have typed: no name ever leaves its segment."""

from __future__ import annotations

from urllib.parse import quote

from portway.client.contract import Resource
from portway.krm import errors

_FORBIDDEN = ("/", "%", "\\", "\0")


def segment(text: str, what: str) -> str:
    """Quoted. StatusError 400 for what can never be a name in a path."""
    if not text or text in (".", "..") or any(mark in text for mark in _FORBIDDEN):
        raise errors.bad_request(f"{text!r} is not a valid {what}: it is empty, a dot path or has one of / % \\")
    return quote(text, safe=":*")


def workspace_root(workspace: str) -> str:
    return f"/clusters/{segment(workspace, 'workspace')}"


def collection(workspace: str, resource: Resource, namespace: str | None) -> str:
    group = f"/apis/{segment(resource.group, 'API group')}" if resource.group else "/api"
    place = f"/namespaces/{segment(namespace, 'namespace')}" if namespace and resource.namespaced else ""
    version, plural = segment(resource.version, "version"), segment(resource.plural, "resource")
    return f"{workspace_root(workspace)}{group}/{version}{place}/{plural}"


def single(workspace: str, resource: Resource, name: str, namespace: str | None, subresource: str = "") -> str:
    if resource.namespaced and not namespace:
        raise errors.bad_request(f"{resource.plural} are namespaced: {name} needs a namespace")
    path = f"{collection(workspace, resource, namespace)}/{segment(name, f'name of {resource.kind}')}"
    return f"{path}/{segment(subresource, 'subresource')}" if subresource else path


def below(workspace: str, path: str) -> str:
    """A path given whole, such as ``/apis/authorization.k8s.io/v1/selfsubjectaccessreviews``."""
    parts = path.removeprefix("/").split("/")
    return workspace_root(workspace) + "".join(f"/{segment(part, 'part of a path')}" for part in parts)
