"""kubectl's way from client-side to server-side apply: what its annotation says it applied, it may take over.

Source: k8s.io/apimachinery pkg/util/managedfields/internal/lastappliedmanager.go and lastappliedupdater.go.
"""

from __future__ import annotations

import datetime
from typing import Any, Final

import orjson

from portway.krm.apply import applying, fieldsets, managers, walking
from portway.krm.apply.atoms import of
from portway.krm.apply.managers import Manager
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.krm.schemas.compiling import Schema

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL: Final = "kubectl"
_LONGEST = 256 * 1024
"""Bytes that all annotations of an object may have together."""


def apply(
    live: Manifest | None, applied: Manifest, schema: Schema, manager: Manager, *, force: bool, now: datetime.datetime
) -> Manifest:
    """As ``applying.apply``; kubectl also keeps its annotation true, where there is one."""
    try:
        result = applying.apply(live, applied, schema, manager, force=force, now=now)
    except StatusError as conflict:
        if live is None or manager.name != KUBECTL or not _allows(live, schema, conflict):
            raise
        result = applying.apply(live, applied, schema, manager, force=True, now=now)
    if manager.name == KUBECTL and live is not None and _annotation(live) is not None:
        _annotate(result, applied)
    return result


def _allows(live: Manifest, schema: Schema, conflict: StatusError) -> bool:
    """Whether all that is contested was applied by kubectl before."""
    text = _annotation(live)
    if text is None or not conflict.causes:
        return False
    try:
        before = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(before, dict):
        return False
    mine = {fieldsets.display(path) for path in walking.fieldset(of(schema), before)}
    return all(cause.field in mine for cause in conflict.causes)


def _annotation(manifest: Manifest) -> str | None:
    annotations: Any = (manifest.get("metadata") or {}).get("annotations") or {}
    text = annotations.get(LAST_APPLIED)
    return text if isinstance(text, str) and text else None


def _annotate(result: Manifest, applied: Manifest) -> None:
    configuration = managers.without(applied)
    metadata = dict(configuration.get("metadata") or {})
    others = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != LAST_APPLIED}
    metadata["annotations"] = others
    text = orjson.dumps({**configuration, "metadata": metadata}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    annotations = result["metadata"].setdefault("annotations", {})
    if len(text) <= _LONGEST:
        annotations[LAST_APPLIED] = text
    else:
        annotations.pop(LAST_APPLIED, None)
