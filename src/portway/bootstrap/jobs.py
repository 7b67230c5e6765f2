"""Pipeline steps as jobs of the node agent: the shape controllers ask for, over the agent's client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portway.drivers.contract import DriverError
from portway.drivers.process.client import AgentClient, Job, JobState
from portway.drivers.services import JobOrder, JobPhase, JobReport
from portway.runtime.contract import Retry

_PHASES = {
    "waiting": JobPhase.PENDING,
    "preparing": JobPhase.RUNNING,
    "running": JobPhase.RUNNING,
    "succeeded": JobPhase.SUCCEEDED,
    "failed": JobPhase.FAILED,
    "cancelled": JobPhase.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class AgentJobs:
    """Implements ``drivers.services.Jobs``. An agent that is away is a reason to try again."""

    agent: AgentClient

    async def start(self, order: JobOrder) -> JobReport:
        job = Job(
            id=order.id,
            run=order.run,
            group=order.group,
            repository=order.repository,
            revision=order.revision,
            environment=order.environment,
            timeout=order.timeout_seconds,
        )
        try:
            return _report(await self.agent.start_job(job))
        except DriverError as error:
            raise _retry(error) from error

    async def wait(self, id: str, seconds: float) -> JobReport:  # noqa: A002  the protocol's word
        try:
            return _report(await self.agent.wait_job(id, seconds))
        except DriverError as error:
            raise _retry(error) from error

    async def log(self, id: str, lines: int) -> Sequence[str]:  # noqa: A002
        try:
            return [line async for line in self.agent.job_logs(id, tail=lines)]
        except DriverError as error:
            raise _retry(error) from error

    async def cancel(self, id: str) -> None:  # noqa: A002
        try:
            await self.agent.cancel_job(id)
        except DriverError as error:
            raise _retry(error) from error


def _report(state: JobState) -> JobReport:
    if not state.exists:
        return JobReport(JobPhase.ABSENT)
    return JobReport(_PHASES[state.phase], state.exit_code, state.message)


def _retry(error: DriverError) -> Retry:
    return Retry(error.reason, error.message, error.retry_after)
