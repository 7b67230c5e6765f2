"""What the portal is given: log-in, logs and files, in the shapes it asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from portway.apis import resources
from portway.bootstrap.sessions import Sessions
from portway.client.contract import Client
from portway.drivers.contract import DriverError
from portway.drivers.process.client import AgentClient
from portway.krm.errors import StatusError
from portway.portal.dependencies import LogRequest


@dataclass(frozen=True, slots=True)
class LogIn:
    """The portal's ``login`` by one-time links."""

    sessions: Sessions

    async def redeem(self, once: str) -> str | None:
        try:
            return await self.sessions.redeem(once)
        except StatusError as error:
            if error.code != 401:
                raise
            return None


@dataclass(frozen=True, slots=True)
class WorkloadLogs:
    """Log lines of workloads from the node agent. Whoever calls it has checked that the user may see them."""

    system: Client
    agent: AgentClient

    async def __call__(self, request: LogRequest) -> AsyncIterator[str]:
        workload = await self.system.at(request.workspace).get(resources.WORKLOADS, request.workload, request.namespace)
        lines = self.agent.workload_logs(
            workload["metadata"]["uid"], container=request.container, tail=request.tail, follow=request.follow
        )
        try:
            async for line in lines:
                yield line
        except DriverError as error:
            yield f"-- {error} --"
