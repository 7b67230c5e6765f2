from __future__ import annotations

import html
import json
import re

import httpx
from tests.behaviour.portal.conftest import Portal
from tests.portal import acme

from portway.apis import resources

URL = "/create/root:acme/default/python-service"


def hidden(page: httpx.Response) -> dict[str, str]:
    """The hidden values that a browser would send along."""
    found = re.findall(r'<input type="hidden" name="(_\w+)" value="([^"]*)">', page.text)
    return {name: html.unescape(value) for name, value in found}


async def answered(portal: Portal, page: httpx.Response, **values: str) -> httpx.Response:
    return await portal.post(URL, data={**hidden(page), **values})


async def test_a_service_is_made_without_any_script(portal: Portal) -> None:
    page = await portal.get(URL)
    page = await answered(portal, page, **{"s:/name": "refunds", "e:/owner": '"group:default/payments"', "_go": "next"})
    assert "What it needs" in page.text
    page = await answered(
        portal, page, **{"b:/database": "true", "e:/size": '"large"', "t:/tags": "a, b", "_go": "next"}
    )
    assert "Review" in page.text
    assert '<option value="root:acme:payments" selected>' in page.text
    page = await answered(portal, page, _workspace="root:acme:payments", _go="create")
    assert page.status_code == 303
    name = page.headers["location"].rpartition("/")[2]
    run = await portal.api.at(acme.PAYMENTS).get(resources.TEMPLATE_RUNS, name, "default")
    assert run["spec"] == {
        "template": {"name": "python-service", "namespace": "default", "workspace": "root:acme"},
        "parameters": {
            "name": "refunds",
            "owner": "group:default/payments",
            "database": True,
            "size": "large",
            "tags": ["a", "b"],
            "environment": "staging",
        },
    }
    assert run["metadata"]["annotations"]["portway.dev/requested-by"] == "ada"


async def test_pressing_create_twice_makes_one_run(portal: Portal) -> None:
    carried = json.dumps({"name": "refunds", "owner": "group:default/payments"})
    values = {"_page": "2", "_carried": carried, "_run": "one", "_workspace": acme.PAYMENTS, "_go": "create"}
    first, second = await portal.post(URL, data=values), await portal.post(URL, data=values)
    assert first.headers["location"] == second.headers["location"]


async def test_errors_stand_at_their_fields_and_answers_stay(portal: Portal) -> None:
    page = await portal.get(URL)
    page = await answered(portal, page, **{"s:/name": "Refunds!", "s:/description": "back & forth", "_go": "next"})
    assert page.status_code == 422
    assert "form that is asked for: ^[a-z][a-z0-9-]{1,40}$" in page.text
    assert "Owner is needed." in page.text
    assert 'value="Refunds!"' in page.text
    assert "back &amp; forth" in page.text


async def test_a_dependent_field_comes_and_goes(portal: Portal) -> None:
    base = {"_page": "1", "_carried": "{}", "_run": "r", "_go": "refresh"}
    with_it = await portal.post(URL, data={**base, "b:/database": "true"}, headers={"hx-request": "true"})
    without = await portal.post(URL, data={**base, "b:/database": "false"}, headers={"hx-request": "true"})
    assert "Database size" in with_it.text
    assert "Database size" not in without.text
    assert "<html" not in without.text


async def test_answers_to_questions_that_are_no_longer_asked_are_dropped(portal: Portal) -> None:
    carried = json.dumps(
        {"name": "refunds", "owner": "group:default/payments", "database": False, "size": "large", "evil": 1}
    )
    await portal.post(
        URL, data={"_page": "2", "_carried": carried, "_run": "r", "_workspace": acme.PAYMENTS, "_go": "create"}
    )
    run = await portal.api.at(acme.PAYMENTS).get(resources.TEMPLATE_RUNS, "r", "default")
    assert sorted(run["spec"]["parameters"]) == ["database", "environment", "name", "owner"]


async def test_no_run_is_made_where_the_user_may_not(portal: Portal) -> None:
    await portal.be("pw_eve")
    carried = json.dumps({"name": "refunds", "owner": "group:default/payments"})
    page = await portal.post(
        URL, data={"_page": "2", "_carried": carried, "_run": "r", "_workspace": acme.PAYMENTS, "_go": "create"}
    )
    assert page.status_code == 422
    assert "Choose the workspace" in page.text


async def test_a_finished_run_links_to_what_was_made(portal: Portal) -> None:
    page = (await portal.get("/runs/templates/root:acme:payments/default/python-service-x7k2p")).text
    assert 'href="/catalog/root:acme:payments/component/default/orders"' in page
    assert "<strong>deployed</strong>" in page
    assert "Pushed 4be2a71 to main" in page
    assert "4 of 4 done" in page


async def test_a_run_streams_its_steps_until_it_is_over(portal: Portal) -> None:
    url = "/runs/templates/root:acme:payments/default/python-service-live1"
    assert 'sse-swap="update"' in (await portal.get(url)).text
    api = portal.api.at(acme.PAYMENTS)
    live = await api.get(resources.TEMPLATE_RUNS, "python-service-live1", "default")
    live["status"]["phase"] = "Succeeded"
    await api.update(resources.TEMPLATE_RUNS, live, subresource="status")
    events = (await portal.get(f"{url}/events")).text
    assert "event: update" in events
    assert "Succeeded" in events
    assert "event: end" in events


async def test_cancel_asks_the_run_to_stop_and_again_starts_a_new_one(portal: Portal) -> None:
    url = "/runs/templates/root:acme:payments/default/python-service-live1"
    assert (await portal.post(f"{url}/cancel")).status_code == 303
    api = portal.api.at(acme.PAYMENTS)
    run = await api.get(resources.TEMPLATE_RUNS, "python-service-live1", "default")
    assert run["spec"]["cancelled"] is True
    answer = await portal.post(f"{url}/again")
    fresh = await api.get(resources.TEMPLATE_RUNS, answer.headers["location"].rpartition("/")[2], "default")
    assert fresh["spec"] == {key: value for key, value in run["spec"].items() if key != "cancelled"}
