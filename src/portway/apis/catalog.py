"""catalog.portway.dev/v1alpha1: Backstage's entity model as objects.

``spec`` is Backstage's spec verbatim. What Backstage keeps in ``metadata`` and Kubernetes cannot (title, description,
tags, links, the name as written) stands in the top-level field ``about``.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from portway.apis import groups
from portway.apis.conditions import HealthState, Status
from portway.apis.platform import Endpoint
from portway.apis.specs import OPEN, Spec

GROUP = groups.CATALOG
VERSION = groups.VERSION

KINDS = ("Component", "API", "Resource", "System", "Domain", "Group", "User", "Location")


class Link(Spec):
    url: str
    title: str = ""
    icon: str = ""
    type: str = ""


class About(Spec):
    name: str = Field(default="", description="Name as written in the descriptor (case kept).")
    title: str = ""
    description: str = ""
    tags: list[str] = Field(default_factory=list)
    links: list[Link] = Field(default_factory=list)
    extra: dict[str, Any] = Field(
        default_factory=dict, description="Unknown metadata keys, kept.", json_schema_extra=OPEN
    )


class EntitySpec(Spec):
    """Backstage's spec; free-form here, checked per kind by ``portway.catalog``."""

    type: str | None = None
    lifecycle: str | None = None
    owner: str | None = None
    system: str | None = None


class Deployment(Spec):
    """Where a component runs."""

    environment: str
    workload: str = ""
    health: HealthState = HealthState.UNKNOWN
    message: str = ""
    release: str = ""
    revision: str = ""
    endpoints: list[Endpoint] = Field(default_factory=list)
    resources: list[str] = Field(default_factory=list, description="<kind>/<name> of claims it uses.")
    updated_at: str = ""


class Item(Spec):
    """A problem with the entity, as Backstage's status.items."""

    type: str
    level: str = "error"
    message: str = ""


class EntityStatus(Status):
    items: list[Item] = Field(default_factory=list)
    deployments: list[Deployment] = Field(
        default_factory=list,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["environment"]},
    )
    health: HealthState = HealthState.UNKNOWN
