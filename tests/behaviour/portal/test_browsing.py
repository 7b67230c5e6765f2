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


async def test_an_entity_that_is_not_there_gives_advice(portal: Portal) -> None:
    page = await portal.get("/catalog/root:acme/component/default/nothing")
    assert page.status_code == 404
    assert "Try the search" in page.text


async def test_a_reference_leads_to_the_workspace_it_resolves_to(portal: Portal) -> None:
    answer = await portal.get("/catalog/root:acme:payments/group/default/payments")
    assert answer.headers["location"] == "/catalog/root:acme/group/default/payments"


async def test_nothing_is_shown_from_workspaces_one_may_not_read(portal: Portal) -> None:
    await portal.be("pw_eve")
    assert (await portal.get("/catalog/root:acme:payments/component/default/orders")).status_code == 404
    assert (await portal.get("/workloads/root:acme:payments/staging/orders")).status_code == 403
    for path in (
        "/",
        "/catalog",
        "/search?q=ledger",
        "/runs",
        "/palette?q=ledger",
        "/catalog/root:acme/group/default/payments",
    ):
        page = (await portal.get(path)).text
        assert "double-entry" not in page.lower()
        assert "component/default/ledger" not in page
        assert "ledger @" not in page


async def test_an_entity_page_shows_both_ways_of_relations_and_where_it_runs(portal: Portal) -> None:
    page = (await portal.get("/catalog/root:acme:payments/component/default/orders")).text
    for text in (
        "Takes orders",
        "Provides",
        "Orders API",
        "http://127.0.0.1:18081",
        "Progressing",
        "Dashboard",
        "refunds-api",
    ):
        assert text in page
    api = (await portal.get("/catalog/root:acme:payments/api/default/orders-api?tab=relations")).text
    assert "Consumed by" in api
    assert "Web shop" in api
    graph = (await portal.get("/catalog/root:acme:payments/api/default/orders-api/graph")).json()
    assert {node["label"] for node in graph["nodes"]} == {"Orders API", "Orders", "Web shop", "Payments", "Checkout"}


@pytest.mark.parametrize(
    ("tab", "shown"),
    [
        ("deployments", "waiting for the readiness probe"),
        ("docs", "How orders work"),
        ("activity", "Release orders-7d9f2c1 runs"),
        ("source", "catalog.portway.dev/v1alpha1"),
        ("nonsense", "Takes orders"),
    ],
)
async def test_each_tab_has_its_own_address(portal: Portal, tab: str, shown: str) -> None:
    page = await portal.get(f"/catalog/root:acme:payments/component/default/orders?tab={tab}")
    assert page.status_code == 200
    assert shown in page.text


async def test_starring_keeps_an_entity_on_the_start_page(portal: Portal) -> None:
    url = "/catalog/root:acme:shop/component/default/newsletter"
    assert (await portal.post(f"{url}/star")).status_code == 303
    assert "newsletter" in (await portal.get("/")).text
    assert "newsletter" in (await portal.get("/catalog?scope=starred")).text
    await portal.post(f"{url}/star")
    assert "Nothing starred yet" in (await portal.get("/catalog?scope=starred")).text


async def test_a_drawing_in_docs_is_shown_so_that_nothing_in_it_runs(portal: Portal) -> None:
    drawing = await portal.get("/docs/plan.svg")
    assert drawing.headers["content-type"] == "image/svg+xml"
    assert drawing.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert drawing.headers["x-content-type-options"] == "nosniff"


async def test_docs_of_portway_and_of_a_component_link_and_search(portal: Portal) -> None:
    assert 'href="/docs/guide.md"' in (await portal.get("/docs")).text
    assert "Open the harbour" in (await portal.get("/docs/guide.md")).text
    assert "Guide" in (await portal.get("/docs/index.md?q=harbour")).text
    assert (await portal.get("/docs/../secrets.md")).status_code == 404
    base = "/catalog/root:acme:payments/component/default/orders/docs"
    assert f'href="{base}/running.md"' in (await portal.get(f"{base}/index.md")).text


async def test_a_crashed_workload_shows_its_exit_code_and_last_lines(portal: Portal) -> None:
    page = (await portal.get("/workloads/root:acme:payments/staging/ledger")).text
    assert "exit code 1" in page
    assert "KeyError: &#39;DATABASE_URL&#39;" in page


async def test_the_log_of_a_container_streams_as_events(portal: Portal) -> None:
    answer = await portal.get("/workloads/root:acme:payments/staging/orders/logs/web")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: line\ndata: log of orders/web" in answer.text
    assert (await portal.get("/workloads/root:acme:payments/staging/orders/logs/nope")).status_code == 404
