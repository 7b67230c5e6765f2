"""How patient the agent is. All in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    first_delay: float = 0.5
    """Before the first new start after a crash; doubled each time."""
    last_delay: float = 60.0
    calm: float = 60.0
    """A process that lived this long starts with the first delay again."""
    settle: float = 0.3
    """A process without a probe is ready when it lived this long."""
    eager: float = 0.05
    """Between probes until the first success, growing to ``period``."""
    period: float = 5.0
    probe_timeout: float = 3.0
    failures: int = 3
    """Probes in a row (a count) that make a ready container not ready, or not alive."""
    start_failures: int = 24
    """Failed liveness probes in a row (a count) before the first readiness."""
    limits: float = 2.0
    """Between looks at memory and log size."""
    prepare_delay: float = 2.0
    """Before fetching the source again after a failure; doubled up to ``last_delay``."""
    drain: float = 5.0
    """That a replaced version still serves after its successor is ready."""
