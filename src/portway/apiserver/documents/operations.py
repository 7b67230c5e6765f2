"""What can be requested of a served resource, independent of how a document writes it down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from portway.krm.builtins import catalogue, definitions
from portway.krm.identity import GroupVersion, GroupVersionKind
from portway.krm.served import Served, Subresource

_PRETTY = ("pretty",)
_LIST = (
    *("allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion"),
    *("resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"),
)
_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_DELETE = (
    *("dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents"),
    "propagationPolicy",
)
_DELETE_COLLECTION = (*_DELETE, *(p for p in _LIST if p not in {"allowWatchBookmarks", "watch"}))
DELETE_OPTIONS = f"{definitions.META}.DeleteOptions"
PATCH = f"{definitions.META}.Patch"
STATUS = f"{definitions.META}.Status"


@dataclass(frozen=True, slots=True)
class Operation:
    path: str
    method: str
    action: str
    """Kubernetes' word for it: list, get, post, put, patch, delete, deletecollection, connect."""
    id: str
    description: str
    kind: GroupVersionKind
    tag: str
    query: tuple[str, ...] = ()
    body: str = ""
    """Full name of the definition sent."""
    body_required: bool = True
    response: str = ""
    codes: tuple[int, ...] = (200,)
    patch_types: tuple[str, ...] = ()
    path_parameters: tuple[str, ...] = ()


def root(group_version: GroupVersion) -> str:
    return f"/apis/{group_version}" if group_version.group else f"/api/{group_version.version}"


def component_name(gvk: GroupVersionKind) -> str:
    """Definition name of any kind: the declared one for built-in kinds, the reversed group for custom ones."""
    try:
        name = catalogue.definition_name(gvk)
    except KeyError:
        name = ""
    if name in definitions.MESSAGES:
        return name
    return ".".join((*reversed(gvk.group.split(".")), gvk.version, gvk.kind))


def operations(served: Served) -> Iterator[Operation]:
    """All operations on the resource and its subresources."""
    namespaced = "/namespaces/{namespace}" if served.namespaced else ""
    base = root(GroupVersion(served.gvk.group, served.gvk.version))
    collection = f"{base}{namespaced}/{served.plural}"
    place = ("namespace",) if served.namespaced else ()
    maker = _Maker(served, place)
    yield from maker.collection(collection)
    yield from maker.item(f"{collection}/{{name}}")
    for subresource in served.subresources:
        yield from maker.subresource(f"{collection}/{{name}}/{subresource.name}", subresource)
    if served.namespaced and "list" in served.verbs:
        yield maker.everywhere(f"{base}/{served.plural}")


class _Maker:
    def __init__(self, served: Served, place: tuple[str, ...]) -> None:
        self._served = served
        self._place = place
        self._name = component_name(served.gvk)
        self._tag, title = _titles(served.gvk)
        kind = f"{'Namespaced' if served.namespaced else ''}{served.gvk.kind}"
        self._title = f"{title}{kind}"
        self._collection_title = f"{title}Collection{kind}"
        self._everywhere = f"{title}{served.gvk.kind}ForAllNamespaces"
        self._patch_types = (
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            *(() if served.custom else ("application/strategic-merge-patch+json",)),
        )

    def collection(self, path: str) -> Iterator[Operation]:
        kind, verbs = self._served.gvk.kind, self._served.verbs
        if "list" in verbs:
            yield self._make(path, "get", "list", f"list or watch objects of kind {kind}", _LIST, response="List")
        if "create" in verbs:
            words = f"create an object of kind {kind}"
            yield self._make(path, "post", "post", words, _WRITE, body=self._name, codes=(200, 201, 202))
        if "deletecollection" in verbs:
            words = f"delete objects of kind {kind}"
            yield self._make(path, "delete", "deletecollection", words, _DELETE_COLLECTION, body=DELETE_OPTIONS)

    def everywhere(self, path: str) -> Operation:
        words = f"list or watch objects of kind {self._served.gvk.kind} in all namespaces"
        operation = self._make(path, "get", "list", words, _LIST, response="List")
        return replace(operation, id=f"list{self._everywhere}", path_parameters=())

    def item(self, path: str) -> Iterator[Operation]:
        kind, verbs = self._served.gvk.kind, self._served.verbs
        if "get" in verbs:
            yield self._make(path, "get", "get", f"read the named {kind}", (), named=True)
        if "update" in verbs:
            words = f"replace the named {kind}"
            yield self._make(path, "put", "put", words, _WRITE, body=self._name, codes=(200, 201), named=True)
        if "patch" in verbs:
            words = f"partially update the named {kind}"
            query = (*_WRITE, "force")
            yield self._make(path, "patch", "patch", words, query, body=PATCH, codes=(200, 201), named=True)
        if "delete" in verbs:
            words = f"delete the named {kind}"
            yield self._make(
                path, "delete", "delete", words, _DELETE, body=DELETE_OPTIONS, codes=(200, 202), named=True
            )

    def subresource(self, path: str, subresource: Subresource) -> Iterator[Operation]:
        kind = subresource.kind or self._served.gvk
        name = component_name(kind)
        plans = {
            "get": ("get", "get", "read", (), "", (200,)),
            "create": ("post", "post", "create", _WRITE, name, (200, 201, 202)),
            "update": ("put", "put", "replace", _WRITE, name, (200, 201)),
            "patch": ("patch", "patch", "partially update", (*_WRITE, "force"), PATCH, (200, 201)),
        }
        for verb in ("get", "update", "create", "patch"):
            if verb not in subresource.verbs:
                continue
            method, action, words, query, body, codes = plans[verb]
            yield Operation(
                path=path,
                method=method,
                action=action,
                id=f"{_ID_VERBS[action]}{self._title}{subresource.name.capitalize()}",
                description=f"{words} {subresource.name} of the named {self._served.gvk.kind}",
                kind=kind,
                tag=self._tag,
                query=(*_PRETTY, *query),
                body=body,
                response=name,
                codes=codes,
                patch_types=self._patch_types if verb == "patch" else (),
                path_parameters=(*self._place, "name"),
            )

    def _make(
        self,
        path: str,
        method: str,
        action: str,
        description: str,
        query: tuple[str, ...],
        *,
        body: str = "",
        response: str = "",
        codes: tuple[int, ...] = (200,),
        named: bool = False,
    ) -> Operation:
        answers = STATUS if method == "delete" else f"{self._name}{response}"
        return Operation(
            path=path,
            method=method,
            action=action,
            id=f"{_ID_VERBS[action]}{self._collection_title if action == 'deletecollection' else self._title}",
            description=description,
            kind=self._served.gvk,
            tag=self._tag,
            query=(*_PRETTY, *query),
            body=body,
            body_required=body != DELETE_OPTIONS,
            response=answers,
            codes=codes,
            patch_types=self._patch_types if method == "patch" else (),
            path_parameters=(*self._place, *(("name",) if named else ())),
        )


_ID_VERBS = {
    "list": "list",
    "post": "create",
    "deletecollection": "delete",
    "get": "read",
    "put": "replace",
    "patch": "patch",
    "delete": "delete",
}


def _titles(gvk: GroupVersionKind) -> tuple[str, str]:
    """Tag and the group's part of operation ids: ``core_v1`` and ``CoreV1``."""
    words = (gvk.group.removesuffix(".k8s.io") or "core").replace("-", ".").split(".")
    camel = "".join(w[:1].upper() + w[1:] for w in words)
    return f"{camel[0].lower()}{camel[1:]}_{gvk.version}", f"{camel}{gvk.version[:1].upper()}{gvk.version[1:]}"
