"""Moving a kubeconfig from workspace to workspace as ``kubectl ws`` does, so that both understand each other's files.

The contexts ``workspace.kcp.io/current`` and ``workspace.kcp.io/previous`` are theirs; others stay as they are.
Source of the names: kcp cli/pkg/workspace/plugin.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from ryaml import dumps  # type: ignore[attr-defined]  # it lists no exports

from portway.client import kubeconfig
from portway.client.kubeconfig import KubeconfigError

CURRENT = "workspace.kcp.io/current"
PREVIOUS = "workspace.kcp.io/previous"


def enter(path: Path, server: str, workspace: str) -> None:
    """Make the workspace the current one of the file; where it was before becomes the previous one."""
    document = kubeconfig.read(path)
    kubeconfig.write(path, str(dumps(entered(document, server, workspace))))


def go_back(path: Path) -> None:
    """Swap current and previous. Raises KubeconfigError when there is no previous one."""
    document = kubeconfig.read(path)
    kubeconfig.write(path, str(dumps(swapped(document))))


def entered(document: dict[str, Any], server: str, workspace: str) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    name = changed.get("current-context") or ""
    context, cluster = _current(changed, name)
    _put(changed, "clusters", "cluster", PREVIOUS, cluster)
    _put(changed, "contexts", "context", PREVIOUS, {**context, "cluster": PREVIOUS})
    _put(changed, "clusters", "cluster", CURRENT, {**cluster, "server": f"{server}/clusters/{workspace}"})
    _put(changed, "contexts", "context", CURRENT, {**context, "cluster": CURRENT})
    changed["current-context"] = CURRENT
    return changed


def swapped(document: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    here = _current(changed, changed.get("current-context") or "")
    try:
        before = _current(changed, PREVIOUS)
    except KubeconfigError:
        raise KubeconfigError("there is no previous workspace in this kubeconfig") from None
    for name, (context, cluster) in ((CURRENT, before), (PREVIOUS, here)):
        _put(changed, "clusters", "cluster", name, cluster)
        _put(changed, "contexts", "context", name, {**context, "cluster": name})
    changed["current-context"] = CURRENT
    return changed


def _current(document: dict[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    context = _named(document, "contexts", "context", name)
    return context, _named(document, "clusters", "cluster", context.get("cluster") or "")


def _named(document: dict[str, Any], section: str, what: str, name: str) -> dict[str, Any]:
    for entry in document.get(section) or ():
        if entry.get("name") == name:
            return dict(entry.get(what) or {})
    raise KubeconfigError(f"this kubeconfig has no {what} {name!r}")


def _put(document: dict[str, Any], section: str, what: str, name: str, value: dict[str, Any]) -> None:
    entries = [entry for entry in document.get(section) or () if entry.get("name") != name]
    document[section] = [*entries, {"name": name, what: value}]
