"""The protobuf form of OpenAPI v2, read back with the plain wire format."""

import json
from typing import Any

from portway.apiserver.documents import gnostic, openapi_v2
from portway.krm.builtins import catalogue
from portway.krm.protobuf import wire

from .served import tab

EVERYTHING = (*catalogue.KINDS, tab())


def field(data: bytes, number: int) -> list[Any]:
    return [value for found, value in wire.fields(data) if found == number]


def names(entries: bytes, number: int) -> set[str]:
    return {field(entry, 1)[0].decode() for entry in field(entries, number)}


def test_both_forms_hold_the_same_paths_and_definitions() -> None:
    spoken = openapi_v2.protobuf(EVERYTHING)
    written = json.loads(openapi_v2.document(EVERYTHING).body)
    assert spoken.media_type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert names(field(spoken.body, 8)[0], 2) == set(written["paths"])
    assert names(field(spoken.body, 9)[0], 1) == set(written["definitions"])


def test_a_schema_keeps_its_facets_and_extensions() -> None:
    schema = gnostic.schema(
        {
            "type": "object",
            "description": "A thing.",
            "required": ["name"],
            "properties": {"name": {"type": "string", "enum": ["a"], "maxLength": 5}, "size": {"minimum": 1}},
            "additionalProperties": True,
            "x-kubernetes-map-type": "atomic",
        }
    )
    properties = field(field(schema, 25)[0], 1)
    name, size = (field(entry, 2)[0] for entry in properties)
    assert field(schema, 22) == [wire.bytes_field(1, b"object")]
    assert field(schema, 4) == [b"A thing."]
    assert field(schema, 19) == [b"name"]
    assert field(schema, 21) == [wire.number_field(2, 1)]
    assert field(schema, 31) == [gnostic.named("x-kubernetes-map-type", gnostic.free("atomic"))]
    assert (field(name, 20), field(name, 11)) == ([gnostic.free("a")], [5])
    assert field(size, 9) == [1.0]


def test_a_reference_and_the_items_of_a_list_are_messages_of_their_own() -> None:
    schema = gnostic.schema({"type": "array", "items": {"$ref": "#/definitions/x"}, "default": [1]})
    assert field(schema, 23) == [wire.bytes_field(1, wire.bytes_field(1, b"#/definitions/x"))]
    assert field(schema, 5) == [wire.bytes_field(2, b"[1]\n")]


def test_the_same_resources_share_one_document() -> None:
    assert openapi_v2.protobuf(list(EVERYTHING)) is openapi_v2.protobuf(EVERYTHING)
