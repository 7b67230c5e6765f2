"""The one interface to the API: controllers, portal and CLI know nothing else.

A client is bound to a workspace and an identity; ``at`` gives the same identity elsewhere, ``acting_as`` another
identity in the same place. Objects are ``Manifest`` dictionaries; failures are ``krm.errors.StatusError``.
Implementations: ``client.http`` (kubeconfig), ``client.inprocess`` (the ASGI app called directly),
``client.memory`` (a shipped fake with the same semantics, for tests).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from portway.krm.identity import Manifest
from portway.krm.identity import Resource as Resource

ALL_WORKSPACES = "*"


class PatchType(StrEnum):
    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"


@dataclass(frozen=True, slots=True)
class Listing:
    items: list[Manifest]
    resource_version: str


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """``type`` is ADDED, MODIFIED, DELETED or BOOKMARK. An ERROR event is raised as StatusError instead."""

    type: str
    object: Manifest


class Client(Protocol):
    """``namespace`` is None for cluster-scoped resources and, on list and watch, for all namespaces."""

    @property
    def workspace(self) -> str:
        """Path of the workspace this client talks to, or ``ALL_WORKSPACES``."""

    def at(self, workspace: str) -> Client: ...

    def with_token(self, token: str) -> Client:
        """The same place as the owner of a bearer token."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Manifest: ...

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
    ) -> Listing:
        """All matching objects (pages are followed)."""

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        since: str = "",
        labels: str = "",
        fields: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        """Events after resource version ``since``, bookmarks included; ends when the server ends it.

        Raises StatusError 410 when ``since`` is too old. Who stops before the end closes it
        (``contextlib.aclosing``).
        """

    async def create(
        self, resource: Resource, manifest: Manifest, namespace: str | None = None, *, dry_run: bool = False
    ) -> Manifest: ...

    async def update(
        self, resource: Resource, manifest: Manifest, *, subresource: str = "", dry_run: bool = False
    ) -> Manifest:
        """Replace; name, namespace and resourceVersion are taken from the manifest."""

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Manifest | Sequence[dict[str, Any]],
        namespace: str | None = None,
        *,
        type: PatchType = PatchType.MERGE,  # noqa: A002  the API's own word
        subresource: str = "",
    ) -> Manifest: ...

    async def apply(
        self,
        resource: Resource,
        manifest: Manifest,
        *,
        manager: str,
        force: bool = True,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Server-side apply; creates when absent."""

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str = "Background",
        uid: str = "",
    ) -> None:
        """Absent is an error (404 StatusError)."""

    async def post(self, path: str, body: Manifest) -> Manifest:
        """POST to a path below the workspace (``/apis/authorization.k8s.io/v1/selfsubjectaccessreviews``)."""
