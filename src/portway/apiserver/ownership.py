"""managedFields: who wrote which field, through ``krm.apply``."""

from __future__ import annotations

from typing import Any

from portway.apiserver.clocks import Now
from portway.apiserver.requests import Request
from portway.apiserver.resources import Resource
from portway.krm import apply
from portway.krm.identity import Manifest


def updated(
    request: Request, resource: Resource, live: Manifest | None, new: Manifest, *, subresource: str, now: Now
) -> Manifest:
    """``new`` with the fields it changed owned by the request's field manager."""
    manager = apply.Manager(request.field_manager, "Update", resource.served.gvk.api_version, subresource)
    return apply.track_update(live, new, resource.served.schema, manager, now=now())


def applied(
    request: Request, resource: Resource, live: Manifest | None, configuration: Any, *, subresource: str, now: Now
) -> Manifest:
    """``live`` with the applied configuration merged in. Raises StatusError 409 with FieldManagerConflict causes."""
    manager = apply.Manager(request.query["fieldManager"], "Apply", resource.served.gvk.api_version, subresource)
    force = request.flag("force")
    return apply.apply(live, configuration, resource.served.schema, manager, force=force, now=now())
