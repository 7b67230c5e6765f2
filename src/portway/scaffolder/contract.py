"""What an action is, and what it is given.

An action can be run again after a kill at any instruction: it looks before it makes. It does not block for long: what
takes time it looks at and raises ``runtime.contract.Retry``. What cannot be is ``ActionFailed``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from portway.apis.wellknown import REQUESTED_BY, TEMPLATE_RUN
from portway.client.contract import Client, Resource
from portway.drivers.services import Repositories, Sources
from portway.krm.identity import Manifest
from portway.scaffolder.folders import Folder


class ActionFailed(Exception):
    """The step failed for good; the message says what was expected and what to do."""


class Catalog(Protocol):
    async def register(self, client: Client, text: str, annotations: Mapping[str, str]) -> list[str]:
        """Make the entities of a descriptor file, with these annotations added; their references.

        Raises ``ActionFailed``, and then made none.
        """


@dataclass(frozen=True, slots=True)
class Services:
    sources: Sources
    repositories: Repositories
    catalog: Catalog
    start_pipeline: Callable[[Client, str, str, str, Mapping[str, str]], Awaitable[Manifest]]
    """(client, repository, revision, branch, annotations of a new one) → PipelineRun, found or made."""


@dataclass(frozen=True, slots=True)
class Requester:
    """For whom the run acts."""

    user: str
    groups: tuple[str, ...] = ()
    is_system: bool = False
    """The control plane itself, which is not asked."""


@dataclass(frozen=True, slots=True)
class ActionContext:
    workspace: str
    """Path of the workspace in which everything is made."""
    run: str
    """Name of the run."""
    uid: str
    folder: Folder
    location: str
    """``url:<git URL>@<ref>//<path of template.yaml>``; relative URLs are read from beside it."""
    client: Client
    requester: Requester
    services: Services
    now: datetime
    started_at: datetime
    """When the step began."""
    dry_run: bool = False
    said: list[str] = field(default_factory=list)

    @property
    def annotations(self) -> dict[str, str]:
        """Of what the run makes: on whose behalf, and by which run."""
        by = {} if self.requester.is_system or not self.requester.user else {REQUESTED_BY: self.requester.user}
        return {TEMPLATE_RUN: self.run, **by}

    def say(self, line: str) -> None:
        """One line of the step's log."""
        self.said.extend(line.splitlines() or [""])

    async def must_be_allowed(self, verb: str, resource: Resource, namespace: str = "") -> None:
        """Ask the API whether the requester may do this in the workspace. Raises ``ActionFailed``."""
        if self.requester.is_system:
            return
        attributes = {"verb": verb, "group": resource.group, "resource": resource.plural, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": self.requester.user,
                "groups": list(self.requester.groups),
                "resourceAttributes": {key: value for key, value in attributes.items() if value},
            },
        }
        answer = await self.client.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        status = answer.get("status") or {}
        if not status.get("allowed"):
            where = f"{self.workspace}, namespace {namespace}" if namespace else self.workspace
            reason = f": {status['reason']}" if status.get("reason") else ""
            raise ActionFailed(
                f"{self.requester.user or 'the requester'} may not {verb} {resource.plural} in {where}{reason}"
            )


class Action(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON Schema of the input."""

    @property
    def works_dry(self) -> bool:
        """Whether a preview runs it: it only reads and changes the run's folder."""

    async def run(self, given: Mapping[str, Any], context: ActionContext) -> Mapping[str, Any]:
        """Output of the step."""
