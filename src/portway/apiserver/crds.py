"""CustomResourceDefinitions as served resources, and the conditions that tell whether they are.

What makes one unacceptable is in ``crdchecks``. Names are checked against the other CRDs of the workspace when one is
written, so that a CRD is established (or says why not) in the same write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portway.apiserver import approvals, resources
from portway.apiserver.resources import Bundle, Resource, WebhookConversion
from portway.krm.builtins import served_from_crd
from portway.krm.identity import Manifest
from portway.store.contract import Key

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"


@dataclass(frozen=True, slots=True)
class Definition:
    """A CRD as the registry keeps it."""

    bundle: Bundle
    group: str
    names: frozenset[str]
    kinds: frozenset[str]
    terminating: bool


def parse(key: Key, revision: int, manifest: Manifest) -> Definition:
    spec = manifest["spec"]
    status = manifest.get("status") or {}
    terminating = bool(manifest["metadata"].get("deletionTimestamp"))
    served: tuple[Resource, ...] = ()
    if is_established(status):
        served = tuple(
            resources.of(
                served_from_crd(manifest, name),
                changed_at=revision,
                terminating=terminating,
                conversion=conversion_of(spec),
            )
            for name in served_names(spec)
        )
    bundle = Bundle(("crd", key.cluster, key.name, str(revision)), served)
    names = spec["names"]
    return Definition(bundle, spec["group"], plural_names(names), kind_names(names), terminating)


def conversion_of(spec: Manifest) -> WebhookConversion | None:
    """``spec`` of a CRD or an APIResourceSchema."""
    conversion = spec.get("conversion") or {}
    if conversion.get("strategy") != "Webhook":
        return None
    webhook = conversion["webhook"]
    return WebhookConversion(webhook["clientConfig"], tuple(webhook["conversionReviewVersions"]))


def is_established(status: Manifest) -> bool:
    return any(c.get("type") == "Established" and c.get("status") == "True" for c in status.get("conditions") or ())


def served_names(spec: Manifest) -> Iterable[str]:
    """Of the versions that are served, in order. ``spec`` of a CRD or an APIResourceSchema."""
    return (version["name"] for version in spec.get("versions") or () if version.get("served"))


def complete(manifest: Manifest) -> None:
    """Defaults of the spec that its schema cannot state."""
    spec = manifest.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind") or ""
    if not names.get("singular"):
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = f"{kind}List"
    spec.setdefault("conversion", {"strategy": "None"})


def settle(manifest: Manifest, others: Iterable[Definition], now: str) -> None:
    """Set status: accepted names, stored versions and the conditions NamesAccepted and Established."""
    spec, status = manifest["spec"], manifest.setdefault("status", {})
    names = spec["names"]
    taken = _conflict(spec, others)
    old = {c["type"]: c for c in status.get("conditions") or ()}
    accepted = taken is None
    if accepted:
        status["acceptedNames"] = names
    status.setdefault("acceptedNames", {"plural": "", "kind": ""})
    storage = next((v["name"] for v in spec["versions"] if v.get("storage")), "")
    stored = status.setdefault("storedVersions", [])
    if storage and storage not in stored:
        stored.append(storage)
    established = accepted or is_established(status)
    new = [
        _condition("NamesAccepted", accepted, "NoConflicts" if accepted else taken, now),
        _condition("Established", established, "InitialNamesAccepted" if established else "NotAccepted", now),
    ]
    if approvals.is_protected(spec["group"]):
        state, why = approvals.state_of(manifest)
        approved = state is approvals.State.APPROVED
        new.append({**_condition(approvals.CONDITION, approved, None, now), "reason": str(state), "message": why})
    if manifest["metadata"].get("deletionTimestamp"):
        new.append(_condition("Terminating", True, "InstanceDeletionInProgress", now))
    status["conditions"] = [_kept(old.get(c["type"]), c) for c in new]


def complete_status(manifest: Manifest, old: Manifest) -> None:
    """Somebody else's write of the status: conditions that say whether the CRD is served outlive it."""
    status = manifest.setdefault("status", {})
    given = [{"type": "", "status": "", **condition} for condition in status.get("conditions") or ()]
    types = {condition["type"] for condition in given}
    before = (old.get("status") or {}).get("conditions") or ()
    status["conditions"] = given + [c for c in before if c["type"] in _OWN_CONDITIONS and c["type"] not in types]
    for field in ("acceptedNames", "storedVersions"):
        if not status.get(field) and (old.get("status") or {}).get(field):
            status[field] = old["status"][field]


_OWN_CONDITIONS = ("NamesAccepted", "Established", approvals.CONDITION, "Terminating")
_MESSAGES = {
    "NoConflicts": "no conflicts found",
    "InitialNamesAccepted": "the initial names have been accepted",
    "NotAccepted": "not all names are accepted",
    "InstanceDeletionInProgress": "CustomResource deletion is in progress",
}


def _condition(type_: str, true: bool, reason: str | None, now: str) -> Manifest:
    message = _MESSAGES.get(reason or "")
    if message is None:
        message, reason = reason or "", "NameConflict"
    return {
        "type": type_,
        "status": "True" if true else "False",
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def _kept(old: Manifest | None, new: Manifest) -> Manifest:
    if old is not None and old.get("status") == new["status"]:
        return {**new, "lastTransitionTime": old.get("lastTransitionTime") or new["lastTransitionTime"]}
    return new


def _conflict(spec: Manifest, others: Iterable[Definition]) -> str | None:
    names, kinds = plural_names(spec["names"]), kind_names(spec["names"])
    for other in others:
        if other.group != spec["group"]:
            continue
        for shared in sorted((names & other.names) | (kinds & other.kinds)):
            return f'"{shared}" is already in use'
    return None


def plural_names(names: Manifest) -> frozenset[str]:
    return frozenset([names["plural"], names.get("singular") or "", *(names.get("shortNames") or ())]) - {""}


def kind_names(names: Manifest) -> frozenset[str]:
    return frozenset([names["kind"], names.get("listKind") or ""]) - {""}
