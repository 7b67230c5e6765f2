"""Which workspaces a user may read: asked from the API by access reviews, believed for some seconds."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from typing import TypeVar

from portway.apis import resources
from portway.client.contract import Client, Resource
from portway.index.catalogs import Readable
from portway.index.following import Index
from portway.kit.clocks import Clock, SystemClock
from portway.krm.errors import StatusError
from portway.portal.dependencies import Deps, User

MASTERS = "system:masters"
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_WHO_AM_I = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_AT_ONCE = 32
_REMEMBERED = 200_000

K = TypeVar("K")
V = TypeVar("V")


class Access:
    """Shared by all visits; answers are kept per token digest."""

    def __init__(self, deps: Deps, clock: Clock | None = None) -> None:
        self._deps = deps
        self._clock = clock or SystemClock()
        self._users: OrderedDict[str, tuple[float, User]] = OrderedDict()
        self._answers: OrderedDict[tuple[str, str, Resource, str], tuple[float, bool]] = OrderedDict()
        self._closed: OrderedDict[tuple[str, str], float] = OrderedDict()
        """Workspaces that a user may not even enter, until when: asked once instead of once per resource."""

    async def identify(self, token: str) -> User | None:
        digest = _digest(token)
        known = self._users.get(digest)
        if known and known[0] > self._clock.monotonic():
            return known[1]
        user = await self._ask_who(token)
        self._users.pop(digest, None)
        if user:
            self._users[digest] = (self._clock.monotonic() + self._deps.settings.access_seconds, user)
        while len(self._users) > 1000:
            self._users.popitem(last=False)
        return user

    def forget(self, token: str) -> None:
        self._users.pop(_digest(token), None)

    async def readable(self, token: str, user: User, resource: Resource = resources.COMPONENTS) -> Readable:
        """A test for workspace paths: may the user list the resource there?"""
        return await self.allowed(token, user, resource, "list")

    async def allowed(self, token: str, user: User, resource: Resource, verb: str) -> Readable:
        if MASTERS in user.groups:
            return _everywhere
        client = self._deps.client.with_token(token)
        paths = sorted(known_workspaces(self._deps.index))
        gate = asyncio.Semaphore(_AT_ONCE)

        async def ask(path: str) -> bool:
            async with gate:
                return await self._may(client.at(path), _digest(token), path, resource, verb)

        answers = await asyncio.gather(*(ask(path) for path in paths))
        may = frozenset(path for path, yes in zip(paths, answers, strict=True) if yes)
        return may.__contains__

    async def _ask_who(self, token: str) -> User | None:
        if self._deps.identify:
            return await self._deps.identify(token)
        client = self._deps.client.with_token(token).at("root")
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            answer = await client.post(_WHO_AM_I, body)
        except StatusError as error:
            if error.code in (401, 403):
                return None
            raise
        info = answer["status"]["userInfo"]
        return User(info["username"], tuple(info.get("groups") or ()))

    async def _may(self, client: Client, digest: str, path: str, resource: Resource, verb: str) -> bool:
        slot = (digest, path, resource, verb)
        now = self._clock.monotonic()
        known = self._answers.get(slot)
        if known and known[0] > now:
            return known[1]
        if self._closed.get((digest, path), 0.0) > now:
            return False
        attributes = {"verb": verb, "group": resource.group, "version": resource.version, "resource": resource.plural}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        try:
            answer = await client.post(_REVIEW, review)
        except StatusError as error:
            if error.code not in (401, 403, 404):
                raise
            yes = False
            if error.code == 403:
                _keep(self._closed, (digest, path), now + self._deps.settings.access_seconds)
        else:
            yes = bool((answer.get("status") or {}).get("allowed"))
        _keep(self._answers, slot, (now + self._deps.settings.access_seconds, yes))
        return yes


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """As the newest; the oldest go when there are too many."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)


def known_workspaces(index: Index) -> set[str]:
    """Paths of all workspaces that the index has seen."""
    paths = {"root"} | index.catalog.workspaces() | index.environments.workspaces()
    for path, name in index.workspaces.all():
        paths.add(f"{path}:{name}")
    return paths


def _everywhere(path: str) -> bool:  # noqa: ARG001  the protocol's signature
    return True


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
