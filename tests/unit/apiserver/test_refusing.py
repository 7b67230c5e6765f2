from __future__ import annotations

import time

from portway.apiserver import refusing


async def test_refusals_end_at_a_multiple_of_a_step_not_earlier() -> None:
    began = time.monotonic() - refusing.STEP_SECONDS * 1.5
    await refusing.even_out(began)
    assert time.monotonic() - began >= refusing.STEP_SECONDS * 2 * 0.999
