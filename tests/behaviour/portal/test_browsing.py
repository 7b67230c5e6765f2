from __future__ import annotations

import pytest
from tests.behaviour.portal.conftest import Portal
from tests.portal import acme

from portway.apis import resources


async def test_the_start_page_shows_what_runs_with_trouble_first(portal: Portal) -> None:
    page = (await portal.get("/")).text
    assert "Your running services" in page
    assert page.index("Ledger") < page.index("Orders")
    assert "Degraded" in page
    assert "python-service: orders" in page


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        pytest.param("kind=API", "Orders API", "Web shop", id="one value of a facet"),
        pytest.param("kind=API&kind=System", "storefront", "Web shop", id="two values of a facet are alternatives"),
        pytest.param("kind=Component&owner=shop", "Web shop", "fraud-rules", id="facets are combined"),
        pytest.param("q=ud-ru", "fraud-rules", "Web shop", id="a part of a name with a hyphen"),
        pytest.param("scope=mine", "fraud-rules", "Web shop", id="what my groups own"),
        pytest.param("tag=go", "Ledger", "Web shop", id="a tag"),
    ],
)
async def test_the_catalog_filters_by_its_url(portal: Portal, query: str, shown: str, hidden: str) -> None:
    page = (await portal.get(f"/catalog?{query}")).text
    assert shown in page
    assert hidden not in page


async def test_htmx_gets_the_fragment_that_the_page_includes(portal: Portal) -> None:
    page = (await portal.get("/catalog?kind=API")).text
    fragment = (await portal.get("/catalog?kind=API", headers={"hx-request": "true"})).text
    assert "<html" not in fragment
    assert fragment.strip() in page


async def test_no_match_says_what_to_do(portal: Portal) -> None:
    page = (await portal.get("/catalog?q=zzz")).text
    assert "Nothing matches" in page
    assert "Clear all filters" in page


async def test_the_palette_knows_entities_templates_types_and_pages(portal: Portal) -> None:
    def titles(answer: list[dict[str, str]]) -> list[tuple[str, str]]:
        return [(entry["title"], entry["url"]) for entry in answer]

    assert titles((await portal.get("/palette?q=orders-a")).json()) == [
        ("Orders API", "/catalog/root:acme:payments/api/default/orders-api")
    ]
    assert ("Python service", "/create/root:acme/default/python-service") in titles(
        (await portal.get("/palette?q=python")).json()
    )
    assert ("Request PostgreSQL database", "/request/postgres") in titles(
        (await portal.get("/palette?q=postgres")).json()
    )
    assert ("Runs", "/runs") in titles((await portal.get("/palette?q=runs")).json())


async def test_hostile_names_and_descriptions_stay_text(portal: Portal) -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    spec = {"type": hostile, "owner": "payments", "lifecycle": hostile}
    about = {"title": hostile, "description": hostile, "tags": [hostile], "links": [{"url": "javascript:alert(1)"}]}
    entity = acme.entity("hostile", spec, about)
    await acme.put(portal.api, acme.PAYMENTS, resources.COMPONENTS, entity)
    await acme.until(lambda: len(portal.index.catalog.search("hostile", lambda _: True)) > 0)
    for path in ("/", "/catalog", "/search?q=hostile", "/catalog/root:acme:payments/component/default/hostile"):
        page = (await portal.get(path)).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "javascript:" not in page


async def test_nothing_is_shown_from_workspaces_one_may_not_read(portal: Portal) -> None:
    page = await portal.get("/catalog/root:nowhere/component/default/orders")
    assert page.status_code == 404
    assert "Try the search" in page.text
