from __future__ import annotations

import re

from tests.behaviour.portal.conftest import Portal
from tests.portal import acme

URL = "/request/postgres"
CLAIM = "/claims/root:acme:payments/staging/postgreses/orders-db"
ANSWERS = {"_workspace": acme.PAYMENTS, "_environment": "staging", "s:/name": "ledger-db", "e:/size": '"small"'}


async def test_the_plan_explains_the_match_and_makes_nothing(portal: Portal) -> None:
    page = (await portal.post(URL, data={**ANSWERS, "_go": "plan"})).text
    for text in (
        "root:acme/postgres-shared",
        "envType is staging, it is for production",
        "12.50 EUR",
        "role orders_db_4f1c",
    ):
        assert text in page
    assert len((await portal.api.at(acme.PAYMENTS).list(acme.POSTGRES)).items) == 1


async def test_a_request_becomes_a_claim_in_the_environment(portal: Portal) -> None:
    answer = await portal.post(
        URL, data={**ANSWERS, "l:/extensions": "", "s:/extensions/0": "pg_trgm", "_go": "create"}
    )
    assert answer.headers["location"] == "/claims/root:acme:payments/staging/postgreses/ledger-db"
    claim = await portal.api.at(acme.PAYMENTS).get(acme.POSTGRES, "ledger-db", "staging")
    assert claim["spec"] == {"size": "small", "extensions": ["pg_trgm"]}


async def test_answers_that_changed_since_the_plan_are_planned_again(portal: Portal) -> None:
    page = (await portal.post(URL, data={**ANSWERS, "_go": "plan"})).text
    (planned,) = re.findall(r'name="_planned" value="(\w+)"', page)
    changed = await portal.post(URL, data={**ANSWERS, "e:/size": '"large"', "_planned": planned, "_go": "create"})
    assert "have changed since the plan" in changed.text
    assert len((await portal.api.at(acme.PAYMENTS).list(acme.POSTGRES)).items) == 1
    assert (await portal.post(URL, data={**ANSWERS, "_planned": planned, "_go": "create"})).status_code == 303


async def test_what_the_api_refuses_stands_at_the_field(portal: Portal) -> None:
    page = await portal.post(URL, data={**ANSWERS, "s:/name": "orders-db", "_go": "create"})
    assert page.status_code == 422
    assert "There is a Postgres of this name in staging already." in page.text
    page = await portal.post(URL, data={**ANSWERS, "s:/name": "", "_go": "plan"})
    assert "Name is needed." in page.text


async def test_a_list_grows_and_shrinks_without_scripts(portal: Portal) -> None:
    page = (await portal.post(URL, data={**ANSWERS, "l:/extensions": "", "_add": "/extensions"})).text
    assert 'name="s:/extensions/0"' in page
    values = {**ANSWERS, "l:/extensions": "", "s:/extensions/0": "one", "s:/extensions/1": "two"}
    page = (await portal.post(URL, data={**values, "_remove": "/extensions/0"})).text
    assert 'value="two"' in page
    assert 'value="one"' not in page


async def test_secret_values_are_nowhere_until_they_are_asked_for(portal: Portal) -> None:
    for path in (CLAIM, "/request", "/workloads/root:acme:payments/staging/orders"):
        assert "s3cr3t" not in (await portal.get(path)).text
    revealed = await portal.post(f"{CLAIM}/reveal", headers={"hx-request": "true"})
    assert "s3cr3t-value" in revealed.text
    assert revealed.headers["cache-control"] == "no-store"
    assert "s3cr3t" not in (await portal.get(CLAIM)).text
    assert (await portal.get(f"{CLAIM}/reveal")).status_code == 405


async def test_secret_values_are_revealed_only_to_those_who_may_get_the_secret(portal: Portal) -> None:
    await portal.be("pw_linus")
    answer = await portal.post(f"{CLAIM}/reveal")
    assert answer.status_code == 403
    assert "linus cannot get it" in answer.text
    assert "s3cr3t" not in answer.text


async def test_deleting_a_claim_leads_back_to_the_list(portal: Portal) -> None:
    assert (await portal.post(f"{CLAIM}/delete")).headers["location"] == "/request"
    assert (await portal.get(CLAIM)).status_code == 404


async def test_a_session_that_ends_is_sent_to_the_log_in(portal: Portal) -> None:
    await portal.be("pw_gone")
    answer = await portal.post(URL, data=ANSWERS, headers={"hx-request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login"
