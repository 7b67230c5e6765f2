"""Sequences of applies and updates, many restated from structured-merge-diff merge/*_test.go."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest

from portway.krm import apply
from portway.krm.apply import fieldsets, managers
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(hours=1)
STRING, NUMBER = {"type": "string"}, {"type": "integer"}
LIST = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {"type": "object", "required": ["name"], "properties": {"name": STRING, "value": NUMBER}},
}
PORTS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port", "protocol"],
    "items": {
        "type": "object",
        "properties": {"port": NUMBER, "protocol": {"type": "string", "default": "TCP"}, "name": STRING},
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "text": STRING,
                "number": NUMBER,
                "list": LIST,
                "ports": PORTS,
                "set": {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
                "atomic": {"type": "array", "items": STRING},
                "data": {"type": "object", "additionalProperties": STRING},
                "struct": {"type": "object", "properties": {"a": STRING, "b": STRING}},
            },
        }
    },
}


def manifest(spec: dict[str, Any], **metadata: Any) -> Manifest:
    return {"apiVersion": "ex.io/v1", "kind": "Widget", "metadata": {"name": "w", **metadata}, "spec": spec}


def applied(
    live: Manifest | None, who: str, spec: dict[str, Any], *, force: bool = False, now: datetime.datetime = NOW
) -> Manifest:
    before = copy.deepcopy(live)
    result = apply.apply(live, manifest(spec), SCHEMA, apply.Manager(who), force=force, now=now)
    assert live == before
    return result


def updated(live: Manifest | None, who: str, spec: dict[str, Any], *, now: datetime.datetime = NOW) -> Manifest:
    metadata = copy.deepcopy(live["metadata"]) if live else {"name": "w"}
    new = {**manifest(spec), "metadata": metadata}
    return apply.track_update(live, new, SCHEMA, apply.Manager(who, "Update", "ex.io/v1"), now=now)


def owned(live: Manifest) -> dict[str, set[str]]:
    """Fields below spec by manager, shown as in conflicts."""
    shown = {
        manager.name: {fieldsets.display(path).removeprefix(".spec") for path in entry.fields}
        for manager, entry in managers.read(live).entries.items()
    }
    return {name: fields - {""} for name, fields in shown.items() if fields - {""}}


Step = tuple[str, str, dict[str, Any]]
A, B, C, D = ({"name": name} for name in "abcd")


@pytest.mark.parametrize(
    ("reason", "steps", "spec", "owners"),
    [
        (
            "an item no longer applied goes",
            [("apply", "one", {"list": [A, B]}), ("apply", "one", {"list": [A]})],
            {"list": [A]},
            {"one": {'.list[name="a"]', '.list[name="a"].name'}},
        ),
        (
            "unless another applier has it",
            [
                ("apply", "one", {"list": [A, B, C]}),
                ("apply", "two", {"list": [C, D]}),
                ("apply", "one", {"list": [A]}),
            ],
            {"list": [A, C, D]},
            {
                "one": {'.list[name="a"]', '.list[name="a"].name'},
                "two": {'.list[name="c"]', '.list[name="c"].name', '.list[name="d"]', '.list[name="d"].name'},
            },
        ),
        (
            "even with what an updater set inside it, which alone does not hold the item",
            [
                ("apply", "one", {"list": [A, B]}),
                ("update", "ctl", {"list": [A, {"name": "b", "value": 1}]}),
                ("apply", "one", {"list": [A]}),
            ],
            {"list": [A]},
            {"one": {'.list[name="a"]', '.list[name="a"].name'}},
        ),
        (
            "the same value is owned by both",
            [("apply", "one", {"text": "x"}), ("apply", "two", {"text": "x"})],
            {"text": "x"},
            {"one": {".text"}, "two": {".text"}},
        ),
        (
            "force takes the field away",
            [("apply", "one", {"text": "x", "number": 1}), ("force", "two", {"text": "y"})],
            {"text": "y", "number": 1},
            {"one": {".number"}, "two": {".text"}},
        ),
        (
            "an update takes it without asking",
            [("apply", "one", {"text": "x"}), ("update", "two", {"text": "y"})],
            {"text": "y"},
            {"two": {".text"}},
        ),
        (
            "what an update removes nobody owns",
            [("apply", "one", {"text": "x", "number": 1}), ("update", "two", {"number": 1})],
            {"number": 1},
            {"one": {".number"}},
        ),
        (
            "a field set by an update survives an apply that never had it",
            [("update", "ctl", {"text": "x"}), ("apply", "one", {"number": 1}), ("apply", "one", {})],
            {"text": "x"},
            {"ctl": {".text"}},
        ),
        (
            "items of a set are owned one by one",
            [
                ("apply", "one", {"set": ["a", "b"]}),
                ("apply", "two", {"set": ["b", "c"]}),
                ("apply", "one", {"set": ["a"]}),
            ],
            {"set": ["a", "b", "c"]},
            {"one": {'.set[="a"]'}, "two": {'.set[="b"]', '.set[="c"]'}},
        ),
        (
            "keys of a map too",
            [
                ("apply", "one", {"data": {"a": "1", "b": "2"}}),
                ("apply", "two", {"data": {"c": "3"}}),
                ("apply", "one", {"data": {"a": "1"}}),
            ],
            {"data": {"a": "1", "c": "3"}},
            {"one": {".data.a"}, "two": {".data.c"}},
        ),
        (
            "a struct goes with the last field in it",
            [("apply", "one", {"struct": {"a": "x"}, "text": "t"}), ("apply", "one", {"text": "t"})],
            {"text": "t"},
            {"one": {".text"}},
        ),
        (
            "giving up a field that another holds leaves it",
            [("apply", "one", {"text": "x"}), ("apply", "two", {"text": "x"}), ("apply", "one", {"number": 1})],
            {"text": "x", "number": 1},
            {"one": {".number"}, "two": {".text"}},
        ),
        (
            "default keys make two spellings one item",
            [
                ("apply", "one", {"ports": [{"port": 80}]}),
                ("apply", "two", {"ports": [{"port": 80, "protocol": "TCP", "name": "n"}]}),
            ],
            {"ports": [{"port": 80, "protocol": "TCP", "name": "n"}]},
            {
                "one": {'.ports[port=80,protocol="TCP"]', '.ports[port=80,protocol="TCP"].port'},
                "two": {
                    '.ports[port=80,protocol="TCP"]',
                    '.ports[port=80,protocol="TCP"].port',
                    '.ports[port=80,protocol="TCP"].protocol',
                    '.ports[port=80,protocol="TCP"].name',
                },
            },
        ),
    ],
)
def test_sequences_of_operations(
    reason: str, steps: list[Step], spec: dict[str, Any], owners: dict[str, set[str]]
) -> None:
    live: Manifest | None = None
    for operation, who, body in steps:
        live = (
            updated(live, who, body) if operation == "update" else applied(live, who, body, force=operation == "force")
        )
    assert live is not None
    assert (live.get("spec", {}), owned(live)) == (spec, owners), reason


def test_one_conflict_names_manager_version_and_field() -> None:
    live = updated(applied(None, "one", {"text": "x"}), "kubectl-edit", {"text": "y"})
    with pytest.raises(StatusError) as caught:
        applied(live, "one", {"text": "z"})
    error = caught.value
    who = 'conflict with "kubectl-edit" using ex.io/v1'
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == f"Apply failed with 1 conflict: {who}: .spec.text"
    assert [(c.reason, c.message, c.field) for c in error.causes] == [("FieldManagerConflict", who, ".spec.text")]


def test_several_conflicts_are_listed_by_manager() -> None:
    live = applied(applied(None, "one", {"text": "x", "number": 1}), "two", {"list": [{"name": "a", "value": 1}]})
    with pytest.raises(StatusError) as caught:
        applied(live, "three", {"text": "y", "number": 2, "list": [{"name": "a", "value": 2}]})
    assert caught.value.message == (
        'Apply failed with 3 conflicts: conflicts with "one":\n- .spec.number\n- .spec.text\n'
        'conflicts with "two":\n- .spec.list[name="a"].value'
    )


def test_an_apply_that_changes_nothing_changes_no_time_either() -> None:
    live = applied(None, "one", {"text": "x", "list": [A]})
    assert applied(live, "one", {"text": "x", "list": [A]}, now=LATER) == live


def test_a_changed_apply_has_the_new_time() -> None:
    live = applied(applied(None, "one", {"text": "x"}), "one", {"text": "y"}, now=LATER)
    assert [e["time"] for e in live["metadata"]["managedFields"]] == ["2026-01-01T01:00:00Z"]


def test_an_update_that_changes_nothing_changes_no_time_either() -> None:
    live = updated(None, "one", {"text": "x"})
    assert updated(live, "one", {"text": "x"}, now=LATER) == live
    assert updated(live, "two", {"text": "x"}, now=LATER) == live


def test_entries_have_the_shape_clients_expect() -> None:
    live = apply.apply(
        None,
        manifest({"text": "x"}, labels={"a": "b"}),
        SCHEMA,
        apply.Manager("one", subresource="status"),
        force=False,
        now=NOW,
    )
    assert live["metadata"]["managedFields"] == [
        {
            "manager": "one",
            "operation": "Apply",
            "apiVersion": "ex.io/v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:text": {}}},
            "subresource": "status",
        }
    ]


def test_the_first_apply_on_an_object_without_owners_records_who_was_there_before() -> None:
    live = applied(manifest({"text": "x"}), "one", {"number": 1})
    assert owned(live) == {"before-first-apply": {".text"}, "one": {".number"}}
    with pytest.raises(StatusError):
        applied(manifest({"text": "x"}), "one", {"text": "y"})


def test_an_update_of_an_object_without_owners_leaves_it_so() -> None:
    assert "managedFields" not in updated(manifest({"text": "x"}), "one", {"text": "y"})["metadata"]


@pytest.mark.parametrize("given", [[], [{}]])
def test_owners_can_be_forgotten(given: list[Any]) -> None:
    live = applied(None, "one", {"text": "x"})
    new = {**manifest({"text": "x"}), "metadata": {"name": "w", "managedFields": given}}
    result = apply.track_update(live, new, SCHEMA, apply.Manager("two", "Update", "ex.io/v1"), now=NOW)
    assert "managedFields" not in result["metadata"]


def test_owners_left_out_of_an_update_are_kept() -> None:
    live = applied(None, "one", {"text": "x"})
    new = manifest({"text": "x"})
    assert apply.track_update(live, new, SCHEMA, apply.Manager("two", "Update", "ex.io/v1"), now=NOW) == live


def test_owners_that_cannot_be_read_do_not_spoil_an_update() -> None:
    live = applied(None, "one", {"text": "x"})
    new = {**manifest({"text": "x"}), "metadata": {"name": "w", "managedFields": [{"operation": "Steal"}]}}
    assert apply.track_update(live, new, SCHEMA, apply.Manager("two", "Update", "ex.io/v1"), now=NOW) == live


def test_at_most_ten_updaters_are_remembered_apart() -> None:
    live = updated(None, "u0", {"data": {"k0": "0"}})
    for n in range(1, 15):
        data = {**live["spec"]["data"], f"k{n}": str(n)}
        live = updated(live, f"u{n}", {"data": data}, now=NOW + datetime.timedelta(minutes=n))
    found = owned(live)
    assert len(found) == 10
    assert found["ancient-changes"] >= {".data.k0", ".data.k1", ".data.k2"}
    assert set().union(*found.values()) == {".data", *(f".data.k{n}" for n in range(15))}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"odd": 1}, ".spec.odd: field not declared in schema"),
        ({"text": 1}, ".spec.text: expected string, got int"),
        ({"list": {}}, ".spec.list: expected list, got map"),
        ({"struct": "x"}, ".spec.struct: expected map, got string"),
        ({"list": [A, A]}, '.spec.list: duplicate entries for key [name="a"]'),
        ({"list": [{"value": 1}]}, 'omits key field "name"'),
        ({"set": ["a", "a"]}, '.spec.set: duplicate entries for key [="a"]'),
        ({"odd": 1, "even": 2}, "errors:\n  .spec.odd: field not declared in schema\n  .spec.even"),
    ],
)
def test_a_configuration_that_does_not_fit_the_schema_is_refused(spec: dict[str, Any], says: str) -> None:
    with pytest.raises(StatusError) as caught:
        applied(None, "one", spec)
    assert caught.value.code == 400
    assert caught.value.message.startswith("failed to create typed patch object (/w; ex.io/v1, Kind=Widget): ")
    assert says in caught.value.message


def test_a_configuration_must_not_claim_owners() -> None:
    body = manifest({}, managedFields=[{"manager": "x"}])
    with pytest.raises(StatusError, match="managedFields must be nil"):
        apply.apply(None, body, SCHEMA, apply.Manager("one"), force=True, now=NOW)


def test_an_applier_stays_itself_in_another_version() -> None:
    live = applied(None, "one", {"text": "x", "number": 1})
    newer = {**manifest({"text": "x"}), "apiVersion": "ex.io/v2"}
    result = apply.apply(live, newer, SCHEMA, apply.Manager("one"), force=False, now=LATER)
    assert (result["apiVersion"], result["spec"]) == ("ex.io/v2", {"text": "x"})
    assert [(e["manager"], e["apiVersion"]) for e in result["metadata"]["managedFields"]] == [("one", "ex.io/v2")]


def test_owner_references_merge_by_uid_and_labels_by_key() -> None:
    owner = {"apiVersion": "v1", "kind": "K", "name": "a"}
    first = manifest({}, labels={"a": "1"}, ownerReferences=[{**owner, "uid": "1"}])
    second = manifest({}, labels={"b": "2"}, ownerReferences=[{**owner, "uid": "2"}])
    live = apply.apply(None, first, SCHEMA, apply.Manager("one"), force=False, now=NOW)
    live = apply.apply(live, second, SCHEMA, apply.Manager("two"), force=False, now=NOW)
    assert live["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert [o["uid"] for o in live["metadata"]["ownerReferences"]] == ["1", "2"]


def test_null_metadata_of_go_clients_erases_nothing() -> None:
    live = {**manifest({}), "metadata": {"name": "w", "creationTimestamp": "2026-01-01T00:00:00Z"}}
    result = apply.apply(live, manifest({}, creationTimestamp=None), SCHEMA, apply.Manager("one"), force=False, now=NOW)
    assert result["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"


def test_applying_does_not_write_into_its_arguments() -> None:
    live = applied(None, "one", {"list": [A], "data": {"a": "1"}})
    body = manifest({"list": [B], "data": {"b": "2"}})
    before = copy.deepcopy((live, body))
    apply.apply(live, body, SCHEMA, apply.Manager("two"), force=True, now=NOW)
    assert (live, body) == before
