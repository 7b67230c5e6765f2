"""How long a request may take: ``?timeout=``, a Go duration, up to a minute. Watches have timeoutSeconds instead."""

from __future__ import annotations

import re

from portway.apiserver.requests import Request
from portway.krm.errors import StatusError, bad_request

LONGEST_SECONDS = 60.0
_TERM = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(request: Request) -> float:
    """Raises StatusError 400 for what is no duration. None and zero mean the longest."""
    text = request.query.get("timeout", "")
    return min(duration(text), LONGEST_SECONDS) or LONGEST_SECONDS if text else LONGEST_SECONDS


def duration(text: str) -> float:
    """Seconds of a text such as ``1m30s``, as Go's time.ParseDuration reads it."""
    unsigned = text[1:] if text[:1] in ("-", "+") else text
    terms = _TERM.findall(unsigned)
    if unsigned != "0" and (not terms or "".join(number + unit for number, unit in terms) != unsigned):
        why = "missing unit in" if re.fullmatch(r"[\d.]+", unsigned) else "invalid"
        told = f'time: {why} duration "{text}"'
        raise bad_request(f"invalid timeout specified in the request URL - {told}")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in terms)
    return -seconds if text.startswith("-") else seconds


def exceeded() -> StatusError:
    message = "Timeout: request did not complete within requested timeout - context deadline exceeded"
    return StatusError(504, "Timeout", message)
