"""The administrator of this installation: a token in a file of the state folder, and the kubeconfig."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

from portway.apis import resources
from portway.bootstrap import sessions
from portway.bootstrap.sessions import Owner
from portway.bootstrap.settings import Settings
from portway.client import kubeconfig
from portway.client.contract import ALL_WORKSPACES, Client
from portway.client.kubeconfig import Context
from portway.krm.errors import StatusError

ADMINISTRATOR = Owner("admin", ("system:masters",))
_SECRET = "token-administrator"  # noqa: S105  the name of a Secret


async def ensure_token(system: Client, home: Path, *, shared: bool = False) -> str:
    """The administrator's token, made at the first start and kept in ``<home>/tokens/admin`` (0600).

    ``shared``: other homes have tokens of their own in the same state.
    """
    file = token_file(home)
    token = read_token(home) or sessions.new_token()
    _write_private(file, token)
    name = f"{_SECRET}-{_place(home)}" if shared else _SECRET
    secret = sessions.token_secret(token, ADMINISTRATOR, "administrator of this installation", name=name)
    root = system.at("root")
    try:
        await root.create(resources.SECRETS, secret, sessions.NAMESPACE)
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise
        current = await root.get(resources.SECRETS, name, sessions.NAMESPACE)
        if current.get("data") != secret["data"]:  # the file was removed: the old token is void
            await root.update(resources.SECRETS, {**current, "data": secret["data"]})
    return token


def _place(home: Path) -> str:
    return hashlib.sha256(f"{socket.gethostname()}:{home}".encode()).hexdigest()[:12]


def token_file(home: Path) -> Path:
    return home / "tokens" / "admin"


def read_token(home: Path) -> str:
    """Empty when there is none."""
    try:
        return token_file(home).read_text().strip()
    except OSError:
        return ""


async def write_kubeconfig(system: Client, settings: Settings, token: str) -> None:
    """A context for each workspace there is. The current one stays; at first it is root."""
    found = await system.at(ALL_WORKSPACES).list(resources.LOGICAL_CLUSTERS)
    paths = {(item["metadata"].get("annotations") or {}).get("kcp.io/path", "") for item in found.items}
    contexts = [Context(path, path) for path in sorted(paths | {"root"}) if path]
    before = _current(settings.kubeconfig)
    current = before if before in {context.name for context in contexts} else "root"
    authority = _read(settings.ca_certificate)
    text = kubeconfig.render(
        settings.secure_address, contexts, token=token, ca=authority, user="admin", current=current
    )
    kubeconfig.write(settings.kubeconfig, text)


def _current(file: Path) -> str:
    try:
        return kubeconfig.load(file).workspace
    except kubeconfig.KubeconfigError:
        return ""


def _read(file: Path) -> str:
    return file.read_text()


def _write_private(file: Path, token: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    if file.read_text().strip() != token:
        file.write_text(token + "\n")
