from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.portal import acme

from portway.client.contract import ALL_WORKSPACES
from portway.client.memory import MemoryClient
from portway.index.following import Index
from portway.portal.application import create_app
from portway.portal.dependencies import Deps, LogRequest, Settings, TreeRequest
from portway.portal.sessions import Sessions


class Portal(httpx.AsyncClient):
    """A browser without scripts, logged in as ada, with the API behind the portal at hand."""

    api: MemoryClient
    index: Index
    used: set[str]
    sessions: Sessions

    async def be(self, token: str) -> None:
        """Have a session with this API token."""
        self.cookies.clear()
        self.cookies.set("portway_session", await self.sessions.open(token, own=False))


async def _logs(request: LogRequest) -> AsyncIterator[str]:
    yield f"log of {request.workload}/{request.container}"


async def _tree(request: TreeRequest) -> dict[str, bytes] | None:
    if request.repository != "orders":
        return None
    return {
        "docs/index.md": b"# Orders\n\nHow orders work. See [running](running.md).",
        "docs/running.md": b"# Running it",
    }


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[Portal]:
    api = acme.new_client()
    await acme.seed(api)
    index = Index()
    used: set[str] = set()

    async def login(one_time: str) -> str | None:
        if one_time != "once" or one_time in used:
            return None
        used.add(one_time)
        return acme.TOKEN

    (tmp_path / "index.md").write_text("# Welcome\n\nStart with the [guide](guide.md).")
    (tmp_path / "guide.md").write_text("# Guide\n\nOpen the harbour.")
    (tmp_path / "plan.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    settings = Settings(docs=tmp_path)
    deps = Deps(api, index, login=login, logs=_logs, read_tree=_tree, settings=settings)
    app = create_app(deps)
    following = asyncio.create_task(index.run(api.at(ALL_WORKSPACES)))
    await index.ready.wait()
    headers = {"sec-fetch-site": "same-origin"}
    transport = httpx.ASGITransport(app)
    async with Portal(transport=transport, base_url="http://localhost:8700", headers=headers) as browser:
        browser.api, browser.index, browser.used, browser.sessions = api, index, used, deps.sessions
        await browser.be(acme.TOKEN)
        yield browser
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
