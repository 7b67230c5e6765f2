from __future__ import annotations

from typing import Any

import pytest

from portway.index.catalogs import Catalog, Query
from portway.index.references import Key, Ref


def everyone(path: str) -> bool:
    return True


def manifest(kind: str, name: str, spec: dict[str, Any], workspace: str = "root:a", **about: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "annotations": {"kcp.io/path": workspace}}
    return {"kind": kind, "metadata": metadata, "spec": spec, "about": {"name": name, **about}}


@pytest.fixture
def catalog() -> Catalog:
    found = Catalog()
    service, website = {"type": "service", "owner": "pay"}, {"type": "website", "owner": "Group:default/Shop"}
    for each in (
        manifest("Component", "orders", {**service, "providesApis": ["orders-api"]}, "root:a:pay"),
        manifest("Component", "orders-worker", {**service, "dependsOn": ["component:orders"]}, "root:a:pay"),
        manifest("Component", "web.shop", {**website, "consumesApis": ["orders-api"]}, "root:a:shop"),
        manifest("API", "orders-api", {"type": "openapi", "owner": "pay"}, "root:a:pay", title="Orders API"),
        manifest("Group", "pay", {"type": "team", "parent": "eng"}),
        manifest("Group", "shop", {"type": "team", "parent": "eng"}),
        manifest("Group", "eng", {"type": "department"}),
        manifest("User", "ada", {"memberOf": ["pay"]}),
    ):  # fmt: skip
        found.put(each)
    return found


def related(catalog: Catalog, workspace: str, ref: str) -> set[tuple[str, str]]:
    parsed = Ref.parse(ref, "component")
    assert parsed is not None
    entity = catalog.get(Key(workspace, parsed), everyone)
    assert entity is not None
    return {(r.type, str(r.ref)) for r in catalog.relations(entity, everyone) if r.target}


def test_relations_are_known_from_both_ends_and_across_workspaces(catalog: Catalog) -> None:
    assert related(catalog, "root:a:pay", "api:orders-api") == {
        ("apiProvidedBy", "component:default/orders"),
        ("apiConsumedBy", "component:default/web.shop"),
        ("ownedBy", "group:default/pay"),
    }
    assert ("hasMember", "user:default/ada") in related(catalog, "root:a", "group:pay")
    assert ("parentOf", "group:default/pay") in related(catalog, "root:a", "group:eng")


def test_a_name_in_the_own_workspace_is_meant_before_an_ancestors(catalog: Catalog) -> None:
    catalog.put(manifest("Group", "pay", {"type": "team"}, "root:a:pay"))
    own = catalog.resolve(Ref("group", "default", "pay"), "root:a:pay", everyone)
    other = catalog.resolve(Ref("group", "default", "pay"), "root:a:shop", everyone)
    assert own is not None
    assert other is not None
    assert (own.workspace, other.workspace) == ("root:a:pay", "root:a")


def test_what_is_removed_or_changed_leaves_no_trace(catalog: Catalog) -> None:
    catalog.put(manifest("Component", "web.shop", {"type": "website"}, "root:a:shop"))
    assert ("apiConsumedBy", "component:default/web.shop") not in related(catalog, "root:a:pay", "api:orders-api")
    catalog.remove(manifest("Component", "orders", {}, "root:a:pay"))
    assert ("apiProvidedBy", "component:default/orders") not in related(catalog, "root:a:pay", "api:orders-api")
    assert len(catalog) == 7


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(
            "orders", ["orders", "orders-worker", "Orders API"], id="the exact name first, components before the rest"
        ),
        pytest.param("b.sh", ["web.shop"], id="across a dot"),
        pytest.param("s-wo", ["orders-worker"], id="across a hyphen"),
        pytest.param("website shop", ["web.shop"], id="every word, anywhere"),
        pytest.param('"orders-api"', ["Orders API"], id="quotes"),
        pytest.param("nothing", [], id="nothing"),
    ],
)
def test_search_finds_parts_of_words(catalog: Catalog, text: str, names: list[str]) -> None:
    assert [entity.label for entity in catalog.search(text, everyone)] == names


def test_each_facet_counts_as_if_it_had_no_filter_itself(catalog: Catalog) -> None:
    answer = catalog.query(Query(filters={"kind": frozenset({"Component"}), "type": frozenset({"service"})}), everyone)
    assert answer.total == 2
    assert dict(answer.facets["type"]) == {"service": 2, "website": 1}
    assert dict(answer.facets["kind"]) == {"Component": 2}
    assert dict(answer.facets["owner"]) == {"pay": 2}


def test_sorting_puts_what_has_no_value_last(catalog: Catalog) -> None:
    for sort in ("owner", "-owner"):
        answer = catalog.query(Query(sort=sort), everyone)
        assert [entity.owner is None for entity in answer.entities] == [False] * 4 + [True] * 4


def test_nothing_comes_from_workspaces_that_may_not_be_read(catalog: Catalog) -> None:
    def mine(path: str) -> bool:
        return path != "root:a:shop"

    assert all(entity.workspace != "root:a:shop" for entity in catalog.all(mine))
    assert catalog.search("web", mine) == []
    api = catalog.get(Key("root:a:pay", Ref("api", "default", "orders-api")), mine)
    assert api is not None
    assert "apiConsumedBy" not in {r.type for r in catalog.relations(api, mine)}
    assert dict(catalog.query(Query(), mine).facets["owner"]) == {"pay": 3}


def test_memberships_reach_up_the_groups(catalog: Catalog) -> None:
    assert catalog.memberships("ada@acme.example", (), everyone) == {
        Ref("user", "default", "ada"),
        Ref("group", "default", "pay"),
        Ref("group", "default", "eng"),
    }


def test_odd_content_is_read_as_absent() -> None:
    catalog = Catalog()
    catalog.put(
        {
            "kind": "Component",
            "metadata": {"name": "odd"},
            "spec": {"owner": 3, "dependsOn": [None, {}, ":"]},
            "about": None,
        }
    )
    (entity,) = catalog.all(everyone)
    assert (entity.owner, entity.references, entity.label) == (None, (), "odd")
