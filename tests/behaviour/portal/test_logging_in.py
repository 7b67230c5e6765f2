from __future__ import annotations

from tests.behaviour.portal.conftest import Portal
from tests.portal import acme


async def test_a_one_time_link_sets_a_strict_cookie_and_forwards(portal: Portal) -> None:
    portal.cookies.clear()
    answer = await portal.get("/login?token=once&next=/catalog")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert acme.TOKEN not in cookie, "the API token stays with the server"
    assert 'content="0;url=/catalog"' in answer.text
    assert (await portal.get("/")).status_code == 200


async def test_a_one_time_link_works_once(portal: Portal) -> None:
    portal.cookies.clear()
    await portal.get("/login?token=once")
    portal.cookies.clear()
    answer = await portal.get("/login?token=once")
    assert answer.status_code == 403
    assert "used before or is too old" in answer.text


async def test_a_pasted_token_is_checked_with_the_api(portal: Portal) -> None:
    portal.cookies.clear()
    assert (await portal.post("/login", data={"token": "pw_nobody"})).status_code == 403
    assert (await portal.post("/login", data={"token": "pw_eve"})).status_code == 200


async def test_pages_without_a_session_lead_to_the_log_in_and_back(portal: Portal) -> None:
    portal.cookies.clear()
    answer = await portal.get("/catalog?kind=API")
    assert answer.headers["location"] == "/login?next=/catalog%3Fkind%3DAPI"


async def test_a_foreign_address_after_log_in_is_not_followed(portal: Portal) -> None:
    for target in ("https://evil.example", "//evil.example", "/\\evil.example"):
        answer = await portal.get("/login", params={"next": target})
        assert answer.headers["location"] == "/"


async def test_logging_out_ends_the_session(portal: Portal) -> None:
    session = portal.cookies["portway_session"]
    answer = await portal.post("/logout")
    assert 'portway_session=""' in answer.headers["set-cookie"]
    assert answer.headers["location"] == "/login"
    portal.cookies.set("portway_session", session)
    assert (await portal.get("/")).headers["location"] == "/login", "whoever kept the cookie has nothing"


async def test_a_new_log_in_ends_the_session_before(portal: Portal) -> None:
    before = portal.cookies["portway_session"]
    await portal.get("/login?token=once")
    assert await portal.sessions.token(before) is None
    assert (await portal.get("/")).status_code == 200


async def test_an_api_token_is_no_session(portal: Portal) -> None:
    portal.cookies.clear()
    portal.cookies.set("portway_session", acme.TOKEN)
    assert (await portal.get("/")).headers["location"] == "/login"


async def test_over_tls_the_cookie_is_of_this_very_host(portal: Portal) -> None:
    portal.cookies.clear()
    answer = await portal.get("https://localhost:8700/login?token=once")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-portway_session=")
    assert {"secure", "path=/", "httponly"} <= {part.strip().lower() for part in cookie.split(";")}
    assert (await portal.get("https://localhost:8700/")).status_code == 200


async def test_changes_from_other_origins_are_refused(portal: Portal) -> None:
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "http://localhost:9999"},
    ):
        assert (await portal.post("/theme", data={"theme": "dark"}, headers=headers)).status_code == 403


async def test_the_log_in_moves_to_localhost_as_workloads_share_the_cookies_of_127_0_0_1(portal: Portal) -> None:
    answer = await portal.get("http://127.0.0.1:8700/login?token=once")
    assert answer.headers["location"] == "http://localhost:8700/login?token=once"
    assert not portal.used


async def test_every_answer_carries_the_security_headers(portal: Portal) -> None:
    for path in ("/", "/static/portway.css", "/nothing", "/login"):
        headers = (await portal.get(path)).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
