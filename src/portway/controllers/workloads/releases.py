"""The record of what ran where: a Release per distinct Score, source and set of resources. Never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from portway.apis.resources import RELEASES
from portway.apis.wellknown import REQUESTED_BY, WORKLOAD_LABEL
from portway.client.contract import Client
from portway.controllers.workloads.requirements import Requirements
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.runtime import objects

_DIGITS = 10


def name_of(workload: Manifest, requirements: Requirements) -> str:
    return f"{objects.name_of(workload)[:240]}-{digest(workload, requirements)[:_DIGITS]}"


def digest(workload: Manifest, requirements: Requirements) -> str:
    spec = workload["spec"]
    identities = [[r.shown.type, r.shown.class_, r.shown.id, r.shown.claim] for r in requirements.found]
    return _digest({"score": spec["score"], "source": spec.get("source"), "resources": identities})


async def record(client: Client, workload: Manifest, requirements: Requirements) -> str:
    """Name of the Release, which is there when this returns."""
    spec = workload["spec"]
    name = name_of(workload, requirements)
    manifest = {
        "apiVersion": RELEASES.api_version,
        "kind": RELEASES.kind,
        "metadata": {
            "name": name,
            "labels": {WORKLOAD_LABEL: objects.name_of(workload)},
            "ownerReferences": [objects.owner_reference(workload)],
        },
        "spec": {
            "workload": objects.name_of(workload),
            "score": spec["score"],
            **({"source": spec["source"]} if spec.get("source") else {}),
            "resources": [_identity(shown) for shown in requirements.shown],
            "requestedBy": objects.annotation(workload, REQUESTED_BY),
            "digest": digest(workload, requirements),
        },
    }
    try:
        await client.create(RELEASES, manifest, objects.namespace_of(workload))
    except StatusError as error:
        if error.reason != "AlreadyExists":
            raise
    return name


def _identity(shown: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if key not in ("ready", "message")}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
