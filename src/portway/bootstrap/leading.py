"""Work that one of several processes does: the one that holds the lease."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from portway.runtime.leases import LeaderLease, LeaseLost

log = logging.getLogger(__name__)


async def lead(lease: LeaderLease, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work whenever this process leads, until cancelled."""
    while True:
        await lease.acquire()
        try:
            async with asyncio.TaskGroup() as term:
                keeping = term.create_task(lease.keep(), name="lease")
                await work()
                keeping.cancel()
        except* LeaseLost as lost:
            log.warning("lease lost", extra={"error": str(lost.exceptions[0])})
        finally:
            await lease.release()
