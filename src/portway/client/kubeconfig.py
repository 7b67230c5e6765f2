"""kubeconfig files: reading who and where, and writing one with a context per workspace.

Format: k8s.io/client-go clientcmd/api/v1. Read: clusters, users with token, token file, client certificate
(file or data) or exec plugin, contexts. Auth-provider plugins are refused by name.
"""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ryaml import InvalidYamlError, dumps, loads  # type: ignore[attr-defined]  # it lists no exports

from portway.client import plugins
from portway.client.http import HttpTransport, Tls
from portway.client.plugins import Plugin
from portway.client.rest import RestClient

_IN_WORKSPACE = re.compile(r"^(?P<server>.*?)/clusters/(?P<workspace>[^/]+)/?$")
_PRIVATE = 0o600


class KubeconfigError(Exception):
    """The message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Connection:
    server: str
    """Without the ``/clusters/…`` part."""
    workspace: str
    namespace: str
    token: str
    tls: Tls
    plugin: Plugin | None = None
    """What has to be asked for token or certificate first."""

    def asked(self) -> Connection:
        """With what the plugin answers, if there is one. Raises PluginError."""
        if self.plugin is None:
            return self
        found = plugins.ask(self.plugin)
        tls = self.tls
        if found.certificate:
            tls = replace(tls, certificate=found.certificate, key=found.key)
        return replace(self, token=found.token, tls=tls)

    def client(self) -> RestClient:
        """Close it when done."""
        return RestClient(HttpTransport(self.server, self.tls), self.workspace, self.token)


@dataclass(frozen=True, slots=True)
class Context:
    """One to be written; ``name`` is what ``kubectl --context`` takes."""

    name: str
    workspace: str
    namespace: str = "default"


def load(path: Path, context: str = "") -> Connection:
    """``context`` empty means the current one. Raises KubeconfigError."""
    document = read(path)
    name = context or document.get("current-context") or ""
    chosen = _named(document, "contexts", "context", name, path)
    cluster = _named(document, "clusters", "cluster", chosen.get("cluster", ""), path)
    user = _named(document, "users", "user", chosen["user"], path) if chosen.get("user") else {}
    if "auth-provider" in user:
        text = f"user {chosen['user']!r} logs in by 'auth-provider', which is not supported; use a token"
        raise KubeconfigError(f"{path}: {text}")
    server = str(cluster.get("server") or "")
    if not server.startswith(("http://", "https://")):
        raise KubeconfigError(f"{path}: cluster {chosen.get('cluster')!r} has server {server!r}, no http(s) address")
    found = _IN_WORKSPACE.match(server)
    return Connection(
        server=found["server"] if found else server,
        workspace=found["workspace"] if found else "root",
        namespace=chosen.get("namespace") or "default",
        token=_token(user, path),
        tls=_tls(cluster, user, path),
        plugin=_plugin(user, path),
    )


def render(
    server: str,
    contexts: Sequence[Context],
    *,
    token: str = "",
    ca: str = "",
    user: str = "portway",
    current: str = "",
    certificate: tuple[str, str] | None = None,
    plugin: Plugin | None = None,
) -> str:
    """A kubeconfig with one cluster and context per workspace and one user.

    PEM text: ``ca``, and ``certificate`` (with its key), which logs in instead of ``token``; so does ``plugin``.
    """
    trusted = {"certificate-authority-data": _encoded(ca)} if ca else {}
    known: dict[str, Any] = {"token": token}
    if certificate is not None:
        known = {"client-certificate-data": _encoded(certificate[0]), "client-key-data": _encoded(certificate[1])}
    elif plugin is not None:
        known = {"exec": plugin.to_kubeconfig()}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": c.name, "cluster": {"server": f"{server.rstrip('/')}/clusters/{c.workspace}", **trusted}}
            for c in contexts
        ],
        "users": [{"name": user, "user": known}],
        "contexts": [
            {"name": c.name, "context": {"cluster": c.name, "user": user, "namespace": c.namespace}} for c in contexts
        ],
        "current-context": current or (contexts[0].name if contexts else ""),
    }
    return str(dumps(document))


def write(path: Path, text: str) -> None:
    """Whole or not at all, readable by its owner only (it holds a token)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), _PRIVATE)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def read(path: Path) -> dict[str, Any]:
    """The document as it is. Raises KubeconfigError."""
    try:
        document = loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KubeconfigError(f"{path} does not exist; start Portway, or say which file with KUBECONFIG") from None
    except (OSError, UnicodeDecodeError, InvalidYamlError) as error:
        raise KubeconfigError(f"{path} cannot be read as a kubeconfig: {error}") from error
    if not isinstance(document, dict) or document.get("kind", "Config") != "Config":
        raise KubeconfigError(f"{path} is no kubeconfig: expected a YAML mapping of kind Config")
    return document


def _named(document: dict[str, Any], section: str, what: str, name: str, path: Path) -> dict[str, Any]:
    entries = {str(entry.get("name")): entry.get(what) or {} for entry in document.get(section) or ()}
    if name not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise KubeconfigError(f"{path} has no {what} {name!r}; it has: {known}")
    found: dict[str, Any] = entries[name]
    return found


def _token(user: dict[str, Any], path: Path) -> str:
    if user.get("token"):
        return str(user["token"])
    if user.get("tokenFile"):
        return _beside(path, user["tokenFile"]).read_text(encoding="utf-8").strip()
    return ""


def _plugin(user: dict[str, Any], path: Path) -> Plugin | None:
    """As upstream a command with a slash in it is relative to the file's folder."""
    if "exec" not in user:
        return None
    given = user["exec"] or {}
    command = str(given.get("command") or "")
    if not command:
        raise KubeconfigError(f"{path}: the exec plugin of its user names no command")
    return Plugin(
        str(_beside(path, command)) if "/" in command else command,
        tuple(str(each) for each in given.get("args") or ()),
        tuple((str(each["name"]), str(each["value"])) for each in given.get("env") or ()),
        str(given.get("apiVersion") or plugins.VERSION),
        str(given.get("installHint") or ""),
    )


def _tls(cluster: dict[str, Any], user: dict[str, Any], path: Path) -> Tls:
    ca = ""
    if cluster.get("certificate-authority-data"):
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
    elif cluster.get("certificate-authority"):
        ca = _beside(path, cluster["certificate-authority"]).read_text(encoding="ascii")
    return Tls(
        ca=ca,
        certificate=_pem(user, "client-certificate", path),
        key=_pem(user, "client-key", path),
        verify=not cluster.get("insecure-skip-tls-verify"),
        server_name=cluster.get("tls-server-name") or "",
    )


def _pem(user: dict[str, Any], field: str, path: Path) -> str:
    if user.get(f"{field}-data"):
        return base64.b64decode(user[f"{field}-data"]).decode()
    if user.get(field):
        return _beside(path, user[field]).read_text(encoding="ascii")
    return ""


def _beside(path: Path, given: str) -> Path:
    """Paths in a kubeconfig are relative to its folder."""
    return path.parent / given


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
