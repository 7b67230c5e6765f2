"""``portway login --device``: log in with a browser on another machine, by a code typed there (RFC 8628)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from portway.cli import output
from portway.cli.errors import CommandError

Sleep = Callable[[float], Awaitable[None]]
_SLOWER_SECONDS = 5
"""What ``slow_down`` adds to all waits that follow (section 3.5)."""


async def log_in(http: httpx.AsyncClient, issuer: str, sleep: Sleep = asyncio.sleep) -> dict[str, Any]:
    """What the server gives for the log-in. Raises CommandError."""
    answer = await http.post("/session/oidc/device", json={"issuer": issuer})
    begun = answer.json()
    if answer.status_code != 200:
        why = begun.get("error_description") or answer.status_code
        raise CommandError(f"There is no log-in by device code here: {why}.")
    _tell(begun)
    interval, left = float(begun["interval"]), float(begun["expires_in"])
    asked = {"issuer": issuer, "device_code": begun["device_code"]}
    while left > 0:
        await sleep(interval)
        left -= max(interval, 1.0)
        try:
            answer = await http.post("/session/oidc/device/token", json=asked)
        except httpx.TransportError:
            interval = max(interval, 1.0) * 2
            continue
        found: dict[str, Any] = answer.json()
        if answer.status_code == 200:
            return found
        match found.get("error"):
            case "authorization_pending" | "temporarily_unavailable":
                continue
            case "slow_down":
                interval += _SLOWER_SECONDS
            case "expired_token":
                break
            case error:
                raise CommandError(f"The log-in failed: {found.get('error_description') or error}.")
    raise CommandError("Nobody logged in while the code was good; nothing was changed.")


def _tell(begun: dict[str, Any]) -> None:
    output.notes.print(f"In a browser on any machine, open {begun['verification_uri']}", soft_wrap=True, markup=False)
    output.notes.print(f"and enter the code {begun['user_code']}", soft_wrap=True, markup=False)
    if begun.get("verification_uri_complete"):
        output.notes.print(f"(or open {begun['verification_uri_complete']})", soft_wrap=True, markup=False)
