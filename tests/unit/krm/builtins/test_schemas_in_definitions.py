"""A typing error in the schema of a CRD is seen, however deep."""

from typing import Any

from portway.krm.builtins import catalogue
from portway.krm.schemas import pruning

CRD = next(k for k in catalogue.KINDS if k.gvk.kind == "CustomResourceDefinition")


def definition(schema: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}}


def test_unknown_facets_of_a_schema_go_with_their_paths() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "requird": ["spec"],
        "properties": {
            "spec": {
                "type": "array",
                "items": {"type": "string", "maxLenght": 3},
                "default": [{"any": "thing"}],
            },
            "labels": {"type": "object", "additionalProperties": {"type": "string", "patern": "a"}},
            "flag": {"additionalProperties": True, "anyOf": [{"typ": "string"}], "x-kubernetes-list-type": "set"},
        },
    }
    before = "spec.versions[0].schema.openAPIV3Schema."
    gone = pruning.prune(CRD.schema, definition(schema))
    assert sorted(path.removeprefix(before) for path in gone) == [
        "properties.flag.anyOf[0].typ",
        "properties.labels.additionalProperties.patern",
        "properties.spec.items.maxLenght",
        "requird",
    ]
    assert schema["properties"]["spec"] == {
        "type": "array",
        "items": {"type": "string"},
        "default": [{"any": "thing"}],
    }
