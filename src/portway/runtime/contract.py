"""What a controller is: a reconciler, the resource it is about, and what else wakes it.

A reconciler reads as guard clauses, then the happy path. It is level-triggered: it gets a name, never an event.
It raises ``Retry`` or ``Terminal``; the runtime turns them into condition, event and requeue, once, there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from portway.client.contract import Client, Resource
from portway.krm.identity import Manifest


class Request(NamedTuple):
    """Which object to look at."""

    workspace: str
    namespace: str
    """Empty for cluster-scoped resources."""
    name: str


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to do until something changes, or until ``again_after`` seconds have passed."""

    again_after: float | None = None


class Retry(Exception):
    """Not there yet, or a passing failure: try again (``after`` seconds, None = back-off).

    ``reason`` (CamelCase) and ``message`` go to the Ready condition as status False, and to an event when
    ``warn`` is set.
    """

    def __init__(self, reason: str, message: str, after: float | None = None, *, warn: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.after = after
        self.warn = warn


class Terminal(Exception):
    """Will not get better until the object or its inputs change: condition and event say why, no requeue."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Reconciler(Protocol):
    async def reconcile(self, request: Request) -> Done: ...


Kept = Callable[[Manifest], Manifest]
"""What of an object an informer keeps: at least its metadata's name, namespace, resourceVersion and path."""
MapToRequests = Callable[[Manifest], Iterable[Request]]
"""From a watched object to what it wakes; read its workspace with ``runtime.objects.workspace_of``."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A secondary resource whose changes wake the controller."""

    resource: Resource
    wakes: MapToRequests


@dataclass(frozen=True, slots=True)
class Controller:
    """One engine over all workspaces."""

    name: str
    resource: Resource
    reconciler: Reconciler
    watches: Sequence[Watch] = field(default_factory=tuple)
    workers: int = 8
    resync_seconds: float = 600.0
    deadline_seconds: float = 600.0
    """Of one reconcile; past it the call is cancelled and tried again with back-off."""


class Lister(Protocol):
    """Read access to an informer's cache (what the last event said; may be a moment old)."""

    def get(self, workspace: str, namespace: str, name: str) -> Manifest | None: ...

    def list(self, workspace: str | None = None, namespace: str | None = None) -> list[Manifest]: ...


class Runtime(Protocol):
    """``runtime.running.ControllerRuntime`` implements it; bootstrap owns it in a TaskGroup."""

    client: Client
    """Bound to ALL_WORKSPACES with the control plane's identity; use ``client.at(request.workspace)``."""

    def lister(self, resource: Resource, kept: Kept | None = None) -> Lister:
        """The shared informer of a resource (one watch per resource over all workspaces).

        ``kept``, given by the first who asks, says what of each object stays in memory, when there are many.
        """

    def add(self, controller: Controller) -> None:
        """One more controller while running (a kind that appeared later); the same name again is ignored."""

    def remove(self, name: str) -> None:
        """Stop the controller of that name; unknown is fine."""

    async def run(self, controllers: Sequence[Controller]) -> None:
        """Run until cancelled: leader lease, informers, queues, workers."""
