"""Refusals take the same time, whether there is something behind the door or not.

Without this, the first look at the roles of a workspace that exists is slower than at one that does not.
"""

from __future__ import annotations

import asyncio
import math
import time

STEP_SECONDS = 0.02
"""Refusals are sent a multiple of this after the request came; a decision takes a small part of it."""


async def even_out(began: float) -> None:
    """``began``: ``time.monotonic()`` of the request."""
    passed = time.monotonic() - began
    await asyncio.sleep(math.ceil(passed / STEP_SECONDS) * STEP_SECONDS - passed)
