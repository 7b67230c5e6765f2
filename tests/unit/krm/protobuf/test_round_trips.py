"""Any manifest of a declared kind survives encoding and decoding."""

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portway.krm import protobuf
from portway.krm.builtins import catalogue, definitions
from portway.krm.builtins.declarations import Field, Message
from portway.krm.identity import Manifest

TRAVELLING = [k.gvk for k in catalogue.KINDS if not k.gvk.group.endswith(".kcp.io")]
TRAVELLING += [catalogue.SCALE, catalogue.TOKEN_REQUEST]
text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
objects = st.dictionaries(text, st.integers(-5, 5) | text | st.booleans(), max_size=2)
times = st.datetimes().map(lambda t: t.replace(microsecond=0))
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": text,
    "int32": st.integers(-(2**31), 2**31 - 1).filter(bool),
    "int64": st.integers(-(2**63), 2**63 - 1).filter(bool),
    "double": st.floats(allow_nan=False, allow_infinity=False).map(lambda f: int(f) if f.is_integer() else f),
    "bool": st.just(True),
    "bytes": st.binary(min_size=1, max_size=6).map(lambda b: base64.b64encode(b).decode()),
    "time": times.map(lambda t: t.isoformat() + "Z"),
    "microtime": times.map(lambda t: t.isoformat() + ".000250Z"),
    "quantity": st.sampled_from(["1", "500m", "1Gi"]),
    "intorstring": st.integers(1, 65535) | text,
    "raw": objects.map(lambda o: {"apiVersion": "v1", "kind": "X", **o}),
    "json": objects | text | st.integers(-9, 9),
    "fieldsv1": objects,
    "strings": st.lists(text, max_size=2),
    "schemaorarray": st.just({"type": "string"}) | st.just([{"type": "string"}, {"type": "integer"}]),
    "schemaorbool": st.just({"type": "string"}) | st.booleans(),
    "schemaorstrings": st.just({"type": "string"}) | st.just(["a", "b"]),
}


@st.composite
def messages(draw: st.DrawFn, message: Message, depth: int = 0) -> dict[str, Any]:
    """A value as JSON would hold it: plain fields absent when they would be zero."""
    value: dict[str, Any] = {}
    for field in message.fields:
        if field.inline:
            value |= draw(messages(definitions.MESSAGES[field.type], depth + 1))
            continue
        needed = _always_there(field)
        if not needed and (depth > 4 or not draw(st.booleans())):
            continue
        drawn = draw(_field(field, depth))
        if drawn not in ({}, []) or ((field.pointer or needed) and not field.repeated and not field.mapped):
            value[field.name] = drawn
    return value


def _always_there(field: Field) -> bool:
    """Required fields, and plain messages that hold a required number: Go writes those out as 0."""
    if field.repeated or field.mapped or field.required:
        return field.required and not field.repeated
    if field.pointer or not field.is_message:
        return False
    return any(f.required and f.type in ("int32", "int64", "bool") for f in definitions.MESSAGES[field.type].fields)


def _field(field: Field, depth: int) -> st.SearchStrategy[Any]:
    single = messages(definitions.MESSAGES[field.type], depth + 1) if field.is_message else SCALARS[field.type]
    if field.repeated:
        return st.lists(single, max_size=2)
    return st.dictionaries(text, single, max_size=2) if field.mapped else single


@pytest.mark.parametrize("gvk", TRAVELLING, ids=str)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_manifest_comes_back_as_it_was(gvk: Any, data: st.DataObject) -> None:
    body = data.draw(messages(definitions.MESSAGES[catalogue.definition_name(gvk)]))
    manifest: Manifest = {"apiVersion": gvk.api_version, "kind": gvk.kind, **body}
    assert protobuf.decode(protobuf.encode(manifest)) == manifest
