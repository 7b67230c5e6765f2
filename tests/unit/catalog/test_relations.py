from __future__ import annotations

import pytest

from portway.catalog import references, relations
from portway.catalog.references import EntityRef


@pytest.mark.parametrize(
    ("text", "kind", "namespace", "expected"),
    [
        ("payments", "Group", "default", "group:default/payments"),
        ("group:payments", "", "default", "group:default/payments"),
        ("Ops/Payments", "Group", "default", "group:ops/payments"),
        ("user:ops/frank.tiernan", "Group", "default", "user:ops/frank.tiernan"),
        ("orders-db", "Resource", "shop", "resource:shop/orders-db"),
    ],
)
def test_a_reference_takes_what_it_leaves_out_from_its_field(
    text: str, kind: str, namespace: str, expected: str
) -> None:
    assert str(references.parse(text, kind=kind, namespace=namespace)) == expected


@pytest.mark.parametrize("text", ["", ":", "thing", "kind:", "kind:/x", "a:b:c", "kind:a/b/c"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(references.BadReference, match="is no entity reference"):
        references.parse(text)


def test_a_component_states_all_its_relations() -> None:
    entity = EntityRef("component", "default", "orders")
    spec = {
        "owner": "payments",
        "system": "shop",
        "subcomponentOf": "suite",
        "providesApis": ["orders-api"],
        "consumesApis": ["other/basket-api"],
        "dependsOn": ["resource:db", "not a ref:"],
        "dependencyOf": ["component:web"],
    }
    stated = {(r.type, r.inverse, str(r.target)) for r in relations.of(entity, spec)}
    assert stated == {
        ("ownedBy", "ownerOf", "group:default/payments"),
        ("partOf", "hasPart", "system:default/shop"),
        ("partOf", "hasPart", "component:default/suite"),
        ("providesApi", "apiProvidedBy", "api:default/orders-api"),
        ("consumesApi", "apiConsumedBy", "api:other/basket-api"),
        ("dependsOn", "dependencyOf", "resource:default/db"),
        ("dependencyOf", "dependsOn", "component:default/web"),
    }
