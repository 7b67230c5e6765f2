"""The people of the example organisation: their tokens, so that the demo acts as a developer, not as a super-user."""

from __future__ import annotations

import datetime
from pathlib import Path

from portway.apis import resources
from portway.bootstrap import sessions
from portway.bootstrap.sessions import Owner
from portway.client.contract import Client
from portway.krm import errors

PEOPLE = {
    "margaret": ("platform", "acme"),
    "ada": ("payments", "acme"),
    "grace": ("payments", "acme"),
    "barbara": ("checkout", "acme"),
}
"""User → groups."""

_DAYS = 90


async def token_of(system: Client, home: Path, user: str) -> str:
    """The token of a person, made once and kept in ``<home>/tokens/<user>`` (0600)."""
    file = home / "tokens" / user
    token = file.read_text().strip() if file.exists() else sessions.new_token()
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=_DAYS)
    secret = sessions.token_secret(token, Owner(user, PEOPLE[user]), "example organisation", expires)
    try:
        await system.at("root").create(resources.SECRETS, secret, sessions.NAMESPACE)
    except errors.StatusError as error:
        if error.reason != "AlreadyExists":
            raise
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(token + "\n")
    return token
