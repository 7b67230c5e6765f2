"""What a user clicks, in a real browser against the portal over HTTP (the API is the in-memory one)."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from tests.portal import acme

from portway.apis import resources
from portway.client.contract import ALL_WORKSPACES
from portway.index.following import Index
from portway.portal.application import create_app
from portway.portal.dependencies import Deps, LogRequest, Settings
from portway.portal.rendering import STATIC

CHROMIUM = os.environ.get("PORTWAY_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGES = (
    "/",
    "/catalog",
    "/catalog/root:acme:payments/component/default/orders",
    "/catalog/root:acme:payments/component/default/orders?tab=relations",
    "/create",
    "/create/root:acme/default/python-service",
    "/request",
    "/request/postgres",
    "/claims/root:acme:payments/staging/postgreses/orders-db",
    "/workloads/root:acme:payments/staging/ledger",
    "/runs",
    "/runs/templates/root:acme:payments/default/python-service-x7k2p",
    "/docs",
    "/search?q=orders",
    "/me",
)

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium found (set PORTWAY_CHROMIUM to its path)"),
    pytest.mark.skipif(
        not (STATIC / "dist" / "tabler.css").is_file(),
        reason="front-end files are not built (python tools/build_assets.py)",
    ),
]


class Server:
    """The portal and its API in a thread of their own, as playwright's synchronous calls block this one."""

    def __init__(self, docs: Path) -> None:
        self._docs = docs
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://localhost:{self._socket.getsockname()[1]}"
        self.api = acme.new_client()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        assert self._started.wait(30)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(setattr, self._server, "should_exit", True)
        self._loop.call_soon_threadsafe(setattr, self._server, "force_exit", True)
        self._thread.join(30)
        self._loop.close()
        self._socket.close()

    def finish_run(self) -> None:
        """The run that is under way succeeds."""

        async def change() -> None:
            api = self.api.at(acme.PAYMENTS)
            live = await api.get(resources.TEMPLATE_RUNS, "python-service-live1", "default")
            live["status"]["phase"] = "Succeeded"
            for step in live["status"]["steps"]:
                step["phase"] = "Succeeded"
            await api.update(resources.TEMPLATE_RUNS, live, subresource="status")

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(30)

    def provide(self, name: str) -> None:
        """The claim gets what it asks for."""

        async def change() -> None:
            api = self.api.at(acme.PAYMENTS)
            claim = await api.get(acme.POSTGRES, name, "staging")
            claim["status"] = {"health": "healthy", "outputs": {"host": "db"}, "binding": {"name": name}}
            await api.update(acme.POSTGRES, claim, subresource="status")

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(30)

    async def _serve(self) -> None:
        await acme.seed(self.api)
        index = Index()

        async def login(one_time: str) -> str | None:
            return acme.TOKEN if one_time == "once" else None

        async def logs(request: LogRequest) -> AsyncIterator[str]:
            yield "first line"
            await asyncio.sleep(0)
            yield "second line"

        deps = Deps(self.api, index, login=login, logs=logs, settings=Settings(docs=self._docs))
        following = asyncio.create_task(index.run(self.api.at(ALL_WORKSPACES)))
        await index.ready.wait()
        config = uvicorn.Config(
            create_app(deps), log_level="error", lifespan="off", timeout_graceful_shutdown=1, timeout_keep_alive=180
        )
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(self._server.serve([self._socket]))
        while not self._server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        self._started.set()
        await serving
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "index.md").write_text("# Welcome\n\nHello.")
    found = Server(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 860})
    found = context.new_page()
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    found.on("console", heard)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.goto("/login?token=once")
    expect(found.get_by_role("heading", name="Good to see you, ada")).to_be_visible()
    found.wait_for_load_state()
    yield found
    context.close()
    assert complaints == []


def test_a_service_is_created_with_the_wizard(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Create").click()
    page.get_by_role("link", name="Python service").click()
    page.get_by_label("Name").fill("Not good")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("form that is asked for")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Not good")
    page.get_by_label("Name").fill("refunds")
    page.get_by_label("Owner").select_option(label="Payments")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Database size")).to_be_visible()
    page.get_by_label("Needs a database").uncheck()
    expect(page.get_by_label("Database size")).to_have_count(0)
    page.get_by_label("Needs a database").check()
    page.get_by_label("Database size").select_option("large")
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("cell", name="refunds")).to_be_visible()
    expect(page.get_by_label("Workspace")).to_have_value("root:acme:payments")
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(re.compile("/runs/templates/root:acme:payments/default/python-service-"))
    expect(page.get_by_role("heading", name="python-service: refunds")).to_be_visible()


def test_a_run_is_followed_live_without_a_reload(page: Page, server: Server) -> None:
    page.goto("/runs/templates/root:acme:payments/default/python-service-live1")
    expect(page.get_by_text("1 of 4 done")).to_be_visible()
    server.finish_run()
    expect(page.get_by_text("4 of 4 done")).to_be_visible()
    expect(page.locator("h1 + .pw-badge")).to_have_text("Succeeded")


def test_a_database_is_requested_after_its_plan_was_seen(page: Page, server: Server) -> None:
    page.goto("/request/postgres")
    page.get_by_label("Name").fill("ledger-db")
    page.get_by_role("button", name="Add").click()
    page.locator('[name="s:/extensions/0"]').fill("pg_trgm")
    page.get_by_role("button", name="See the plan").click()
    expect(page.get_by_text("envType is staging, it is for production")).to_be_visible()
    expect(page.get_by_text("12.50 EUR")).to_be_visible()
    page.get_by_role("button", name="Create it").click()
    expect(page.get_by_role("heading", name="ledger-db")).to_be_visible()
    expect(page.get_by_text("Address and credentials appear here as soon as it is made.")).to_be_visible()
    server.provide("ledger-db")
    expect(page.locator("h1 + .pw-badge")).to_have_text("Healthy")
    expect(page.get_by_role("button", name="Reveal secret values")).to_be_visible()


def test_secret_values_appear_on_a_click_and_go_with_the_next_page(page: Page) -> None:
    page.goto("/claims/root:acme:payments/staging/postgreses/orders-db")
    expect(page.get_by_text("••••••••")).to_be_visible()
    page.get_by_role("button", name="Reveal secret values").click()
    expect(page.get_by_text("s3cr3t-value")).to_be_visible()
    page.get_by_role("link", name="Hide").click()
    expect(page.get_by_text("s3cr3t-value")).to_have_count(0)


def test_the_palette_is_used_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search or command")
    expect(field).to_be_focused()
    field.fill("orders-a")
    expect(page.get_by_role("option").first).to_contain_text("Orders API")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Orders API")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option")).not_to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#pw-palette")).not_to_be_visible()


def test_the_catalog_filters_while_typing_and_keeps_it_in_the_url(page: Page) -> None:
    page.goto("/catalog")
    page.get_by_label("Filter by text").press_sequentially("ledger")
    expect(page.get_by_role("heading", name="2 entities")).to_be_visible()
    expect(page).to_have_url(re.compile("q=ledger"))
    expect(page.get_by_label("Filter by text")).to_be_focused()
    page.get_by_role("checkbox", name="API 1", exact=True).check()
    expect(page.get_by_role("heading", name="1 entity")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="2 entities")).to_be_visible()
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")


def test_the_graph_is_drawn_and_logs_stream(page: Page) -> None:
    page.goto("/catalog/root:acme:payments/component/default/orders?tab=relations")
    expect(page.locator("[data-graph] canvas").first).to_be_visible()
    page.goto("/workloads/root:acme:payments/staging/orders")
    expect(page.locator("#live-log")).to_have_text("first line second line")


def test_the_theme_is_chosen_and_stays(page: Page) -> None:
    root = page.locator("html")
    for theme in ("light", "dark"):
        page.get_by_role("button", name=f"Switch to {theme}").click()
        expect(root).to_have_attribute("data-bs-theme", theme)
    page.goto("/catalog")
    expect(root).to_have_attribute("data-bs-theme", "dark")


def test_no_page_scrolls_sideways_on_a_phone_and_none_lacks_a_heading(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 780})
    for path in PAGES:
        page.goto(path)
        assert page.locator("h1").count() >= 1, path
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, path
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Catalog")).to_be_visible()


def test_every_control_has_a_name_and_the_focus_is_seen(page: Page) -> None:
    for path in PAGES:
        page.goto(path)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea')]
              .filter(e => e.checkVisibility() && !(e.ariaLabel || e.labels?.length || e.textContent.trim() || e.title))
              .map(e => e.outerHTML)"""
        )
        assert nameless == [], path
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


def test_logging_out_closes_the_door(page: Page) -> None:
    page.get_by_label("Account menu").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto("/catalog")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
