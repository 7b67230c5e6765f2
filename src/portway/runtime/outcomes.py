"""What a reconcile that raised means: pure, from the exception to a verdict that the loop carries out.

Invariant: the same failure gives the same verdict, text included, so that a condition written for it does not
change from attempt to attempt. That is why the correlation id is derived from the failure.
"""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import dataclass

from portway.krm.errors import StatusError
from portway.runtime.contract import Request, Retry, Terminal

_CONFLICT, _TOO_MANY = 409, 429
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` empty: nothing for the user to see. ``after`` None: back-off.

    ``passing``: the API's own trouble, which is shown only when it lasts, so that conditions do not flap.
    """

    reason: str
    message: str
    again: bool = True
    after: float | None = None
    warn: bool = False
    unexpected: bool = False
    passing: bool = False


def judge(error: Exception, controller: str, request: Request) -> Verdict:
    if isinstance(error, Retry):
        return Verdict(error.reason, error.message, after=error.after, warn=error.warn)
    if isinstance(error, Terminal):
        return Verdict(error.reason, error.message, again=False, warn=True)
    if isinstance(error, StatusError):
        return _of_status(error)
    correlation = correlation_id(error, controller, request)
    message = f"{controller} failed on this object by a defect of its own; it is tried again. "
    return Verdict(
        "InternalError", f"{message}The log has the details under {correlation}.", warn=True, unexpected=True
    )


def correlation_id(error: Exception, controller: str, request: Request) -> str:
    """Twelve hex digits, the same for the same kind of failure at the same place about the same object."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    said = "\0".join((controller, *request, type(error).__name__, where))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _of_status(error: StatusError) -> Verdict:
    if error.code == _CONFLICT:
        return Verdict("", error.message)
    after = float(error.retry_after) if error.retry_after else None
    passing = error.code >= _SERVER_ERROR or error.code == _TOO_MANY
    return Verdict(error.reason, error.message, after=after, warn=not passing, passing=passing)
