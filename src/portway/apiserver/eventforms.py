"""Events as core/v1 and as events.k8s.io/v1 have them. Names: k8s.io/kubernetes pkg/apis/events/v1/conversion.go."""

from __future__ import annotations

from portway.krm.identity import Manifest

GROUP = "events.k8s.io"
KEY = "events"
"""Resource part of store keys, of both."""
CORE_VERSION = "v1"
_CORE_OF = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
SELECTED_AT = {"source": ("source.component", "reportingComponent")}
"""Where a field selector finds what it asks for, where that is not the field it names."""

_NEW_OF = {old: new for new, old in _CORE_OF.items()}


def convert(manifest: Manifest, api_version: str) -> Manifest:
    names = _CORE_OF if api_version == CORE_VERSION else _NEW_OF
    converted = {names.get(key, key): value for key, value in manifest.items()}
    if api_version == CORE_VERSION:
        converted.setdefault("involvedObject", {})
    return {**converted, "apiVersion": api_version}
