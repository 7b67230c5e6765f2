"""ObjectMeta that is refused, with upstream's fields and words."""

from __future__ import annotations

from typing import Any

import pytest

from portway.apiserver import metachecks, resources
from portway.krm.builtins.catalogue import KINDS
from portway.krm.builtins.publishing import served_from_crd

CONFIG_MAP = next(resources.of(served) for served in KINDS if served.plural == "configmaps")
WIDGET = resources.of(
    served_from_crd(
        {
            "spec": {
                "group": "example.org",
                "scope": "Namespaced",
                "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [{"name": "v1", "served": True, "storage": True}],
            }
        },
        "v1",
    )
)
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "1"}
FIRST, SECOND = {**OWNER, "controller": True}, {**OWNER, "name": "b", "controller": True}
SHOWN = (
    '[{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"1","controller":true},'
    '{"apiVersion":"v1","kind":"ConfigMap","name":"b","uid":"1","controller":true}]'
)
NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
NEITHER = "name is neither a standard finalizer name nor is it fully qualified"
DELETED = {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.org/a"]}
NEW = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "


@pytest.mark.parametrize(
    ("resource", "metadata", "old", "found", "reason"),
    [
        (WIDGET, {"name": "a", "finalizers": ["odd"], "ownerReferences": [OWNER]}, None, [], "a good one"),
        (
            WIDGET,
            {"name": "a", "ownerReferences": [{}]},
            None,
            [
                ("ownerReferences.apiVersion", 'Invalid value: "": version must not be empty'),
                ("ownerReferences.kind", 'Invalid value: "": must not be empty'),
                ("ownerReferences.name", 'Invalid value: "": must not be empty'),
                ("ownerReferences.uid", 'Invalid value: "": must not be empty'),
            ],
            "an owner is named",
        ),
        (
            WIDGET,
            {"name": "a", "ownerReferences": [{**OWNER, "kind": "Event"}]},
            None,
            [
                (
                    "ownerReferences",
                    'Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"1"}: /v1, Kind=Event is '
                    "disallowed from being an owner",
                )
            ],
            "events pass",
        ),
        (
            WIDGET,
            {"name": "a", "ownerReferences": [FIRST, SECOND]},
            None,
            [
                (
                    "ownerReferences",
                    f"Invalid value: {SHOWN}: Only one reference can have Controller set to true. "
                    'Found "true" in references for ConfigMap/a and ConfigMap/b',
                )
            ],
            "one is in control",
        ),
        (
            WIDGET,
            {"name": "a", "finalizers": ["a b"]},
            None,
            [("finalizers", f'Invalid value: "a b": {NAME_PART}')],
            "finalizers are qualified names",
        ),
        (
            WIDGET,
            {"name": "a", "finalizers": ["orphan", "foregroundDeletion"]},
            None,
            [
                (
                    "finalizers",
                    'Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be '
                    "both set",
                )
            ],
            "either or",
        ),
        (
            WIDGET,
            {"name": "a", "finalizers": ["example.org/c", "example.org/a", "example.org/b"]},
            DELETED,
            [("finalizers", f'{NEW}[]string{{"example.org/b", "example.org/c"}}')],
            "what goes is not held again",
        ),
        (
            CONFIG_MAP,
            {"name": "a", "finalizers": ["kubernetes", "odd"]},
            None,
            [("finalizers[1]", f'Invalid value: "odd": {NEITHER}')],
            "those of core kinds have a domain",
        ),
        (
            CONFIG_MAP,
            {"name": "a", "finalizers": ["odd"]},
            {"name": "a"},
            [("finalizers[0]", f'Invalid value: "odd": {NEITHER}')],
            "on update too",
        ),
    ],
)
def test_what_is_wrong_with_metadata_is_named(
    resource: resources.Resource, metadata: Any, old: Any, found: list[tuple[str, str]], reason: str
) -> None:
    live = {"metadata": old} if old is not None else None
    causes = metachecks.check(resource, {"metadata": metadata}, live)
    assert [(c.field, c.message) for c in causes] == [(f"metadata.{field}", text) for field, text in found], reason


CONFLICTS = "to avoid accidental conflicts with other finalizer writers"


def test_new_finalizers_without_a_domain_are_remarked() -> None:
    manifest = {"metadata": {"finalizers": ["old", "example.org/x", "orphan", "new", "a.b"]}}
    live = {"metadata": {"finalizers": ["old"]}}
    assert metachecks.warnings_of_finalizers(manifest, live) == [
        f'metadata.finalizers: "a.b": prefer a domain-qualified finalizer name including a path (/) {CONFLICTS}',
        f'metadata.finalizers: "new": prefer a domain-qualified finalizer name {CONFLICTS}',
    ]
    assert metachecks.warnings_of_finalizers(manifest, manifest) == []
