"""Leader lease: of several processes on one API, one reconciles (coordination.k8s.io Lease in workspace root).

Safe without comparing clocks between machines: a lease is judged by how long *we* have seen it unchanged. Every
write is guarded by the version that was read. A holder that cannot renew gives up before others may take over.
A holder on this machine whose process is gone is succeeded at once, so that a restart after a kill does not wait.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable
from dataclasses import dataclass

from portway.apis.resources import LEASES, NAMESPACES
from portway.client.contract import Client
from portway.kit.clocks import Clock, rfc3339_micro
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import objects

_log = logging.getLogger(__name__)

NAMESPACE = "portway-system"
_RELEASE_SECONDS = 2.0


class LeaseLost(Exception):
    """Someone else may lead now."""


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds."""

    duration: float = 15.0
    """Others take over after the lease was unchanged for so long."""
    renew: float = 5.0
    """Between renewals; also between looks of those who wait."""
    give_up: float = 10.0
    """Without a successful renewal for so long the holder stops; less than ``duration``."""


def identity() -> str:
    """Host, process and a random part: ``box/4711/9f2c…``."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


class LeaderLease:
    """``client`` is in workspace root."""

    def __init__(
        self,
        client: Client,
        name: str,
        clock: Clock,
        *,
        holder: str | None = None,
        times: LeaseTimes = LeaseTimes(),
    ) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self.holder = holder or identity()
        self._times = times
        self._seen = ("", 0.0)
        """Version of the lease of another holder, and when we saw it first."""

    async def acquire(self) -> None:
        """Return when this process leads."""
        told = ""
        while True:
            try:
                other = await self._try()
            except StatusError as error:
                other = f"unknown: {error}"
            if not other:
                _log.info("lease acquired", extra={"lease": self._name, "holder": self.holder})
                return
            if other != told:
                told = other
                _log.info("lease is held by another", extra={"lease": self._name, "holder": other})
            await self._clock.sleep(self._times.renew)

    async def keep(self) -> None:
        """Renew for ever; raises LeaseLost."""
        renewed = self._clock.monotonic()
        while True:
            await self._clock.sleep(self._times.renew)
            try:
                left = self._times.give_up - (self._clock.monotonic() - renewed)
                async with asyncio.timeout(left):
                    other = await self._try()
            except (StatusError, TimeoutError) as error:
                _log.warning("lease not renewed", extra={"lease": self._name, "error": str(error)})
                if self._clock.monotonic() - renewed >= self._times.give_up:
                    raise LeaseLost(f"{self._name} could not be renewed: {error}") from error
                continue
            if other:
                raise LeaseLost(f"{self._name} is held by {other} now")
            renewed = self._clock.monotonic()

    async def release(self) -> None:
        """Let another begin at once; best effort."""
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                lease = await self._client.get(LEASES, self._name, NAMESPACE)
                if lease["spec"].get("holderIdentity") == self.holder:
                    await self._client.update(LEASES, {**lease, "spec": {**lease["spec"], "holderIdentity": ""}})
        except (StatusError, TimeoutError) as error:
            _log.info("lease not released", extra={"lease": self._name, "error": str(error)})

    async def _try(self) -> str:
        """Take or renew; empty on success, else who holds it."""
        try:
            lease = await self._client.get(LEASES, self._name, NAMESPACE)
        except StatusError as error:
            if error.code != 404:
                raise
            return await self._create()
        spec = lease.get("spec") or {}
        other = str(spec.get("holderIdentity") or "")
        if other and other != self.holder and not self._is_over(lease, other):
            return other
        changed = {**lease, "spec": {**spec, **self._terms(), "leaseTransitions": _transitions(spec, self.holder)}}
        if other != self.holder:
            changed["spec"]["acquireTime"] = self._now()
        return await self._guarded(self._client.update(LEASES, changed))

    async def _create(self) -> str:
        try:
            await self._client.create(NAMESPACES, {"metadata": {"name": NAMESPACE}})
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
        spec = {**self._terms(), "acquireTime": self._now(), "leaseTransitions": 0}
        body = {"metadata": {"name": self._name, "namespace": NAMESPACE}, "spec": spec}
        return await self._guarded(self._client.create(LEASES, body, NAMESPACE))

    async def _guarded(self, write: Awaitable[Manifest]) -> str:
        try:
            await write
        except StatusError as error:
            if error.code != 409:
                raise
            return "another who was faster"
        return ""

    def _is_over(self, lease: Manifest, other: str) -> bool:
        version, now = objects.version_of(lease), self._clock.monotonic()
        if self._seen[0] != version:
            self._seen = (version, now)
        promised = float((lease.get("spec") or {}).get("leaseDurationSeconds") or self._times.duration)
        return now - self._seen[1] >= promised or _is_dead(other)

    def _terms(self) -> Manifest:
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": max(1, round(self._times.duration)),
            "renewTime": self._now(),
        }

    def _now(self) -> str:
        return rfc3339_micro(self._clock.now())


def _transitions(spec: Manifest, holder: str) -> int:
    before = int(spec.get("leaseTransitions") or 0)
    return before if spec.get("holderIdentity") == holder else before + 1


def _is_dead(holder: str) -> bool:
    """Whether it was a process of this machine that is no more."""
    host, _, rest = holder.partition("/")
    pid = rest.partition("/")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
