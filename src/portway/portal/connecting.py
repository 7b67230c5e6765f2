"""How to connect to what a claim made: its outputs, and commands to copy. Secret values are never in here."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from portway.apis.claims import ClaimStatus
from portway.portal.resourcetypes import ResourceType

MASK = "••••••••"
_EACH_LINE = '{{range $k, $v := .data}}{{$k}}={{$v | base64decode}}{{"\\n"}}{{end}}'


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of how to connect."""

    name: str
    value: str
    secret: bool


def settings(type_: ResourceType, status: ClaimStatus) -> list[Setting]:
    """Public outputs, and secret ones masked."""
    secret = [key for key, output in type_.spec.outputs.items() if output.secret]
    shown = [Setting(key, str(value), False) for key, value in status.outputs.items() if key not in secret]
    return shown + ([Setting(key, MASK, True) for key in secret] if status.binding else [])


def commands(type_: ResourceType, status: ClaimStatus, namespace: str) -> list[tuple[str, str]]:
    """(what it does, command) pairs."""
    if status.binding is None or not status.binding.name:
        return []
    read = f"kubectl -n {shlex.quote(namespace)} get secret {shlex.quote(status.binding.name)}"
    found = [("Print the credentials", f"{read} -o go-template='{_EACH_LINE}'")]
    if type_.spec.binding_type in ("postgres", "postgresql"):
        found.insert(0, ("Open psql", _psql(status, read)))
    lines = (
        "resources:",
        "  db:",
        f"    type: {type_.name}",
        "containers:",
        "  main:",
        "    variables:",
        "      HOST: ${resources.db.host}",
    )
    return [*found, ("Ask for one in a Score file", "\n".join(lines))]


def _psql(status: ClaimStatus, read: str) -> str:
    out = status.outputs
    user = out.get("username") or out.get("user") or "USER"
    words = [
        *("-h", out.get("host") or "HOST"),
        *("-p", out.get("port") or 5432),
        *("-U", user),
        out.get("database") or out.get("name") or "DATABASE",
    ]
    password = f"$({read} -o jsonpath='{{.data.password}}' | base64 -d)"
    return f'PGPASSWORD="{password}" psql ' + " ".join(shlex.quote(str(word)) for word in words)
