"""What a provider or a lifecycle controller sees of the workspaces of others, below ``/services/``."""

from __future__ import annotations

from typing import Protocol

from portway.apiserver.rbac import Attributes
from portway.apiserver.resources import Resource, ResourceSet, Source
from portway.apiserver.responses import Response, Stream
from portway.apiserver.tenants import Tenant
from portway.krm.identity import Manifest


class View(Protocol):
    """Made for one request, after its user was found to be allowed to look."""

    source: Source | None
    """The export whose provider looks; None for controllers of workspace types."""

    def serving(self, tenant: Tenant | None) -> ResourceSet:
        """For discovery; ``tenant`` None: over all workspaces."""

    def find(self, tenant: Tenant | None, group: str, version: str, plural: str) -> Resource | None: ...

    def enter(self, tenant: Tenant, asked: Attributes) -> None:
        """Let the request into one workspace. Raises StatusError 403."""

    def reaches(self, resource: Resource, cluster: str) -> bool:
        """Whether anything of that kind in a workspace may be seen."""

    def clusters(self, resource: Resource) -> list[str]:
        """In order, those that hold something to be seen."""

    def shows(self, resource: Resource, manifest: Manifest) -> bool:
        """Whether an object of the workspaces addressed is to be seen."""

    def check_write(self, resource: Resource, old: Manifest | None, new: Manifest) -> None:
        """Raises StatusError 403 for what the view does not let one write."""

    def ended_by_changes(self, answer: Response | Stream, resource: Resource) -> Response | Stream:
        """A watch ends when what may be seen changes without an event of its objects."""
