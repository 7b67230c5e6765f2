"""Events, in both their forms, and Leases."""

from __future__ import annotations

from collections.abc import Iterator

from portway.apiserver import eventforms, names
from portway.apiserver.admission.contract import AdmissionRequest
from portway.krm import causes
from portway.krm.errors import Cause
from portway.krm.identity import Manifest

_LIMITS = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}
_UNSET = {"firstTimestamp": None, "lastTimestamp": None, "count": 0}
_FIXED = (
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
)


def event(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    """Upstream judges the older form, and more strictly what comes in the newer one."""
    newer = request.resource.served.gvk.group == eventforms.GROUP
    given = eventforms.convert(manifest, eventforms.CORE_VERSION) if newer else manifest
    reporter = "reportingController" if newer else "reportingComponent"
    yield from _check_place(given, request.namespace)
    if given.get("eventTime"):
        yield from _check_reporter(given, reporter)
    if not newer:
        return
    if request.old is None:
        yield from _check_new(given)
        return
    old = eventforms.convert(request.old, eventforms.CORE_VERSION)
    if given.get("series") != old.get("series"):
        yield from _check_series(given)
    for field in _FIXED:
        if (given.get(field) or None) != (old.get(field) or None):
            yield causes.immutable(reporter if field == "reportingComponent" else field, given.get(field))


def _check_place(given: Manifest, namespace: str) -> Iterator[Cause]:
    about = (given.get("involvedObject") or {}).get("namespace") or ""
    if given.get("eventTime"):
        fits = bool(about) or namespace in ("default", "kube-system")
    else:
        fits = about == namespace or (not about and namespace == "default")
    if not fits:
        yield causes.invalid("involvedObject.namespace", about, "does not match event.namespace")


def _check_reporter(given: Manifest, reporter: str) -> Iterator[Cause]:
    controller = given.get("reportingComponent") or ""
    if not controller:
        yield causes.required(reporter)
    for fault in names.qualified_faults(controller):
        yield causes.invalid(reporter, controller, fault)
    for field, limit in _LIMITS.items():
        value = given.get(field) or ""
        if not value and field != "message":
            yield causes.required(field)
        if len(value.encode()) > limit:
            yield causes.invalid(field, "", f"can have at most {limit} characters")


def _check_new(given: Manifest) -> Iterator[Cause]:
    yield from _check_series(given)
    if not given.get("eventTime"):
        yield causes.required("eventTime")
    if given.get("type") not in ("Normal", "Warning"):
        yield causes.invalid("type", "", f"has invalid value: {given.get('type') or ''}")
    for field, empty in _UNSET.items():
        if given.get(field) or empty:
            yield causes.invalid(field, "", "needs to be unset")
    if any((given.get("source") or {}).values()):
        yield causes.invalid("source", "", "needs to be unset")


def _check_series(given: Manifest) -> Iterator[Cause]:
    series = given.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < 2:
        yield causes.invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield causes.required("series.lastObservedTime")


def lease(_request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        yield causes.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    if transitions is not None and transitions < 0:
        yield causes.invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0")
