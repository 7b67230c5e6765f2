"""Who makes a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from portway.krm.identity import Manifest

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS_NAME = "system:anonymous"


ACCOUNT = "system:serviceaccount"
"""How the names of service accounts begin, and with an s those of their groups."""


def split_account(name: str) -> tuple[str, str] | None:
    """(namespace, name) of the service account that a user's name stands for; None when it stands for none."""
    parts = name.removeprefix(f"{ACCOUNT}:").split(":") if name.startswith(f"{ACCOUNT}:") else []
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else None


def account_groups(namespace: str) -> tuple[str, str]:
    """Of every service account there."""
    return f"{ACCOUNT}s", f"{ACCOUNT}s:{namespace}"


@dataclass(frozen=True, slots=True)
class User:
    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    home: str = ""
    """Logical cluster of a service account; its name means nothing elsewhere. Empty for people."""
    scope: str = ""
    """Logical cluster beyond which roles do not count: whoever acts as another does so in one workspace only."""
    admin_of: str = ""
    """Logical cluster where the user may do everything; set for controllers that act as a workspace's owner."""

    @property
    def is_master(self) -> bool:
        return MASTERS in self.groups

    def name_in(self, cluster: str) -> str:
        """What means this user there: a service account of another workspace is none of that one's."""
        account = split_account(self.name)
        if account is None or self.home in ("", cluster):
            return self.name
        return f"system:kcp:serviceaccount:{self.home}:{account[0]}:{account[1]}"

    @property
    def is_anonymous(self) -> bool:
        return self.name == ANONYMOUS_NAME

    def to_user_info(self) -> Manifest:
        """authentication.k8s.io/v1 ``UserInfo``."""
        info: Manifest = {"username": self.name}
        if self.uid:
            info["uid"] = self.uid
        info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra.items()}
        return info


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom the client certificate of a connection names."""

    user: User
    serial: str
    """Hexadecimal."""


ANONYMOUS = User(ANONYMOUS_NAME, (UNAUTHENTICATED,))
SYSTEM = User("system:portway", (MASTERS, AUTHENTICATED))


def authenticated(name: str, groups: tuple[str, ...] = (), uid: str = "") -> User:
    """A user with the group every authenticated one has."""
    return User(name, groups if AUTHENTICATED in groups else (*groups, AUTHENTICATED), uid)
