"""Log-ins to the portal: a one-time link becomes a session token, as Jupyter does.

A session token is an ordinary static token (a hashed Secret in root), so what the portal does with it is what its
owner may do with kubectl. One-time tokens live in this process only.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import secrets
from dataclasses import dataclass

from portway.apis import resources
from portway.apiserver.users import split_account
from portway.client.contract import Client
from portway.kit import namelists
from portway.krm import errors
from portway.krm.identity import Manifest

NAMESPACE = "portway-system"
TOKEN_TYPE = "portway.dev/token"  # noqa: S105  a type of Secret
LINK_MINUTES = 60
SESSION_HOURS = 12


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a token stands for."""

    user: str
    groups: tuple[str, ...]


class Sessions:
    """Issues and redeems log-ins. ``system`` is a client of the control plane itself."""

    def __init__(self, system: Client) -> None:
        self._system = system.at("root")
        self._links: dict[str, tuple[Owner, datetime.datetime]] = {}

    async def whoami(self, token: str) -> Owner:
        """Raises StatusError 401 when the token is not good."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self._system.with_token(token).post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
        info = answer["status"]["userInfo"]
        groups = tuple(g for g in info.get("groups", ()) if g != "system:authenticated")
        return Owner(info["username"], groups)

    async def issue_link(self, token: str) -> str:
        """A one-time token that logs in as the owner of ``token``. Raises StatusError 401 and 403."""
        owner = await self._person(token)
        now = _now()
        self._links = {k: v for k, v in self._links.items() if v[1] > now}
        once = secrets.token_urlsafe(24)
        self._links[_digest(once)] = (owner, now + datetime.timedelta(minutes=LINK_MINUTES))
        return once

    async def redeem(self, once: str) -> str:
        """The session token for a one-time token, which is used up. Raises StatusError 401."""
        owner, expires = self._links.pop(_digest(once), (None, _now()))
        if owner is None or expires <= _now():
            raise errors.unauthorized("this log-in link was used already or is too old; `portway open` makes a new one")
        return await self._start(owner)

    async def log_in(self, token: str) -> str:
        """The session token for one who shows a bearer token. Raises StatusError 401 and 403."""
        return await self._start(await self._person(token))

    async def _person(self, token: str) -> Owner:
        """Raises StatusError 403 for service accounts: apart from its workspace such a name means another in each."""
        owner = await self.whoami(token)
        if split_account(owner.user):
            why = f"{owner.user} cannot log in: a service account goes on with its own token"
            raise errors.StatusError(403, "Forbidden", why)
        return owner

    async def end(self, session: str) -> None:
        try:
            await self._system.delete(resources.SECRETS, _secret_name(session), NAMESPACE)
        except errors.StatusError as error:
            if error.code != 404:
                raise

    async def _start(self, owner: Owner) -> str:
        token = new_token()
        expires = _now() + datetime.timedelta(hours=SESSION_HOURS)
        await self._system.create(resources.SECRETS, token_secret(token, owner, "portal session", expires))
        return token


def new_token() -> str:
    return "pw_" + secrets.token_urlsafe(32)


def token_secret(
    token: str, owner: Owner, description: str, expires: datetime.datetime | None = None, name: str = ""
) -> Manifest:
    """The Secret that makes a token good; holds its hash only."""
    data = {
        "hash": hashlib.sha256(token.encode()).hexdigest(),
        "user": owner.user,
        "groups": namelists.joined(owner.groups),
        "description": description,
    }
    if expires is not None:
        data["expires"] = expires.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": TOKEN_TYPE,
        "metadata": {"name": name or _secret_name(token), "namespace": NAMESPACE},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


def _secret_name(token: str) -> str:
    return "token-" + hashlib.sha256(token.encode()).hexdigest()[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
