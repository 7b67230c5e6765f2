"""What holds for every sequence of applies and updates."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portway.krm import apply
from portway.krm.apply import atoms, declaring, fieldsets, managers, walking
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest
from portway.krm.values import same

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
STRING = {"type": "string"}
ITEM = {
    "type": "object",
    "properties": {
        "name": STRING,
        "value": {"type": "integer"},
        "tags": {"type": "object", "additionalProperties": STRING},
    },
}
SPEC = {
    "type": "object",
    "properties": {
        "text": STRING,
        "items": {
            "type": "array",
            "items": ITEM,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "set": {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
        "atomic": {"type": "array", "items": STRING},
        "data": {"type": "object", "additionalProperties": STRING},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
SCHEMA = {"type": "object", "properties": {"spec": SPEC}}

words = st.sampled_from(["a", "b", "c"])
maps = st.dictionaries(words, words, max_size=3)
items = st.lists(
    st.fixed_dictionaries({"name": words}, optional={"value": st.integers(0, 2), "tags": maps}),
    unique_by=lambda item: item["name"],
    max_size=3,
)
free = st.dictionaries(words, st.one_of(words, st.lists(words, max_size=2), maps), max_size=2)
specs = st.fixed_dictionaries(
    {},
    optional={
        "text": words,
        "items": items,
        "set": st.lists(words, unique=True, max_size=3),
        "atomic": st.lists(words, max_size=3),
        "data": maps,
        "any": free,
    },
)
steps = st.lists(
    st.tuples(st.sampled_from(["apply", "force", "update"]), st.sampled_from(["x", "y"]), specs), min_size=1, max_size=5
)


strange = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.just(1.5), words),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.sampled_from(["name", "value", "tags", "text", "items", "set", "any"]), below, max_size=3),
    ),
    max_leaves=8,
)


def manifest(spec: dict[str, Any]) -> Manifest:
    return {"apiVersion": "ex.io/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": copy.deepcopy(spec)}


def run(live: Manifest | None, operation: str, who: str, spec: dict[str, Any]) -> Manifest | None:
    """The object afterwards; unchanged by an apply that conflicts."""
    if operation == "update":
        return apply.track_update(live, manifest(spec), SCHEMA, apply.Manager(who, "Update", "ex.io/v1"), now=NOW)
    try:
        return apply.apply(live, manifest(spec), SCHEMA, apply.Manager(who), force=operation == "force", now=NOW)
    except StatusError as error:
        assert error.reason == "Conflict"  # noqa: PT017
        return live


def after(history: list[tuple[str, str, dict[str, Any]]]) -> Manifest | None:
    live: Manifest | None = None
    for operation, who, spec in history:
        live = run(live, operation, who, spec)
    return live


@given(steps, specs)
@settings(max_examples=150, deadline=None)
def test_what_was_applied_by_force_is_in_the_object_and_owned(history: list[Any], spec: dict[str, Any]) -> None:
    live = run(after(history), "force", "x", spec)
    assert live is not None
    atom = atoms.of(SCHEMA)
    wanted = walking.fieldset(atom, manifest(spec)) - managers.NOT_OWNED
    assert all(exists(atom, live, path) for path in wanted)
    entry = managers.read(live).entries.get(apply.Manager("x", "Apply"))
    assert (entry.fields if entry else set()) == wanted


@given(
    st.one_of(specs, strange), st.dictionaries(st.sampled_from(["labels", "name", "uid", "any"]), strange, max_size=3)
)
@settings(max_examples=300, deadline=None)
def test_the_maker_of_an_object_owns_what_a_comparison_with_nothing_finds(spec: Any, metadata: dict[str, Any]) -> None:
    made = {**manifest({}), "spec": spec, "metadata": metadata}
    who = apply.Manager("x", "Update", "ex.io/v1")
    atom = atoms.of(SCHEMA)
    found = walking.compare(atom, {"apiVersion": "ex.io/v1", "kind": "Widget"}, made)
    entry = managers.Entry(found.added | found.modified, "ex.io/v1", managers.stamp(NOW))
    expected = managers.write(made, managers.Managed({who: entry}))
    tracked = apply.track_update(None, made, SCHEMA, who, now=NOW)
    assert orjson.dumps(tracked) == orjson.dumps(expected)


@given(steps, specs, st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_same_apply_twice_changes_nothing_the_second_time(
    history: list[Any], spec: dict[str, Any], force: bool
) -> None:
    once = run(after(history), "force", "x", spec)
    twice = run(once, "force" if force else "apply", "x", spec)
    assert once is not None
    assert twice is not None
    assert same(once, twice)


@given(steps)
@settings(max_examples=150, deadline=None)
def test_owners_own_only_what_is_there(history: list[Any]) -> None:
    live = after(history)
    if live is None:
        return
    for entry in managers.read(live).entries.values():
        assert all(exists(atoms.of(SCHEMA), live, path) for path in entry.fields)


def exists(atom: atoms.Atom, value: Any, path: fieldsets.Path) -> bool:
    """Whether there is a value at the path."""
    for part in path:
        if part.startswith("f:"):
            if not isinstance(value, dict) or part[2:] not in value or atom.map is None:
                return False
            value, atom = value[part[2:]], atom.map.child(part[2:]) or atoms.DEDUCED
        else:
            if not isinstance(value, list) or atom.list is None:
                return False
            keyed = atom.list
            found = [item for index, item in enumerate(value) if fieldsets.live_element(keyed, item, index) == part]
            if not found:
                return False
            value, atom = found[0], keyed.element
    return True


@given(steps, specs, specs)
@settings(max_examples=150, deadline=None)
def test_an_apply_without_force_leaves_what_others_own(
    history: list[Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    live = run(after(history), "force", "other", theirs)
    result = run(live, "apply", "x", mine)
    assert live is not None
    assert result is not None
    atom = atoms.of(SCHEMA)
    difference = walking.compare(atom, managers.without(live), managers.without(result))
    entry = managers.read(live).entries.get(apply.Manager("other", "Apply"))
    owned = entry.fields if entry else set()
    assert not owned & (difference.modified | difference.removed)


@given(
    st.sets(
        st.lists(st.sampled_from(["f:a", "f:b", 'k:{"name":"a"}', 'v:"x"', "i:0"]), min_size=1, max_size=4).map(tuple)
    )
)
def test_field_sets_survive_their_encoding(fields: set[tuple[str, ...]]) -> None:
    assert fieldsets.decode(fieldsets.encode(fields)) == fields


@given(st.dictionaries(st.sampled_from(["text", "items", "set", "atomic", "data", "any", "more"]), strange, max_size=3))
@settings(max_examples=400, deadline=None)
def test_what_a_quick_look_finds_sound_has_no_problem_and_the_other_way_round(spec: dict[str, Any]) -> None:
    atom, applied = atoms.of(SCHEMA), manifest(spec)
    problems = list(declaring._problems(atom, applied, ""))
    if not problems:
        declaring.check(atom, applied)
        return
    with pytest.raises(StatusError) as caught:
        declaring.check(atom, applied)
    assert all(problem in caught.value.message for problem in problems)
