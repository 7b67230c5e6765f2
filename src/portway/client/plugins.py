"""Exec credential plugins: programs that a kubeconfig names, asked for a token or a client certificate.

Protocol: client.authentication.k8s.io ExecCredential, of k8s.io/client-go plugin/pkg/client/auth/exec.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

VERSION = "client.authentication.k8s.io/v1"
INFO = "KUBERNETES_EXEC_INFO"
"""The environment variable that tells a plugin which version is spoken."""
_SECONDS = 300.0
"""It may wait for a person."""


class PluginError(Exception):
    """The message names the program and what it said."""


@dataclass(frozen=True, slots=True)
class Plugin:
    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    api_version: str = VERSION
    install_hint: str = ""

    def to_kubeconfig(self) -> dict[str, Any]:
        return {
            "apiVersion": self.api_version,
            "command": self.command,
            "args": list(self.args),
            **({"env": [{"name": name, "value": value} for name, value in self.env]} if self.env else {}),
            **({"installHint": self.install_hint} if self.install_hint else {}),
            "interactiveMode": "IfAvailable",
            "provideClusterInfo": False,
        }


@dataclass(frozen=True, slots=True)
class Credential:
    token: str = ""
    certificate: str = ""
    key: str = ""


def ask(plugin: Plugin) -> Credential:
    """Run it; questions it has go to the terminal. Raises PluginError."""
    info = {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": {"interactive": os.isatty(0)}}
    environment = {**os.environ, **dict(plugin.env), INFO: json.dumps(info)}
    try:
        done = subprocess.run(  # noqa: S603  the kubeconfig says so, as with kubectl
            [plugin.command, *plugin.args], env=environment, stdout=subprocess.PIPE, timeout=_SECONDS, check=False
        )
    except FileNotFoundError:
        raise PluginError(f"the program {plugin.command!r} is not there. {plugin.install_hint}".strip()) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PluginError(f"the program {plugin.command!r} gave no credential: {error}") from None
    if done.returncode != 0:
        raise PluginError(f"the program {plugin.command!r} ended with status {done.returncode}, giving no credential")
    return _read(plugin, done.stdout)


def _read(plugin: Plugin, output: bytes) -> Credential:
    try:
        answer = json.loads(output)
        version, status = answer["apiVersion"], answer["status"]
        found = Credential(
            str(status.get("token") or ""),
            str(status.get("clientCertificateData") or ""),
            str(status.get("clientKeyData") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PluginError(f"the program {plugin.command!r} printed no ExecCredential") from None
    if version != plugin.api_version:
        text = f"the program {plugin.command!r} answered in version {version}, expected {plugin.api_version}"
        raise PluginError(text)
    if not found.token and not found.certificate:
        raise PluginError(f"the program {plugin.command!r} gave neither token nor certificate")
    return found
