"""From client-side to server-side apply: what kubectl noted in its annotation counts as its own.

Only for the manager named kubectl, as upstream (managedfields/internal/lastappliedmanager.go, lastappliedupdater.go).
"""

from __future__ import annotations

from typing import Any

import orjson

from portway.krm.apply import managers, walking
from portway.krm.apply.atoms import Atom
from portway.krm.apply.fieldsets import FieldSet
from portway.krm.apply.managers import Manager
from portway.krm.identity import Manifest

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_KUBECTL = "kubectl"
_LONGEST = 256 * 1024
"""Bytes that all annotations of an object may have together."""


def own(manager: Manager, live: Manifest | None, atom: Atom) -> FieldSet:
    """Fields that kubectl applied on the client's side and nobody changed since: no conflict may arise from them."""
    noted = _noted(manager, live)
    if live is None or not noted:
        return set()
    try:
        last: Any = orjson.loads(noted)
    except orjson.JSONDecodeError:
        return set()
    if not isinstance(last, dict) or last.get("apiVersion") != manager.api_version:
        return set()
    difference = walking.compare(atom, last, managers.without(live))
    return walking.fieldset(atom, last) - difference.modified - difference.added - difference.removed


def note(manager: Manager, live: Manifest | None, applied: Manifest, result: Manifest) -> None:
    """Keep the annotation true, for those who go back to client-side apply."""
    if not _noted(manager, live):
        return
    annotations = {k: v for k, v in (applied["metadata"].get("annotations") or {}).items() if k != ANNOTATION}
    configuration = {**applied, "metadata": {**applied["metadata"], "annotations": annotations}}
    text = orjson.dumps(configuration, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE).decode()
    kept = {k: v for k, v in (result["metadata"].get("annotations") or {}).items() if k != ANNOTATION}
    result["metadata"]["annotations"] = kept if len(text) > _LONGEST else {**kept, ANNOTATION: text}


def _noted(manager: Manager, live: Manifest | None) -> str:
    if live is None or manager.name != _KUBECTL:
        return ""
    text = (live["metadata"].get("annotations") or {}).get(ANNOTATION)
    return text if isinstance(text, str) else ""
