"""Portway's git hosting, with the real git as the client."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn

from portway.drivers.contract import DriverError, Plan, Refused, Target
from portway.drivers.git import commits
from portway.drivers.git.commits import Author, Change, File
from portway.drivers.git.driver import GitDriver
from portway.drivers.git.hosting import Hosting
from portway.drivers.git.http import GitServer, Limits, Move, Scope, Verdict, token
from portway.drivers.git.places import Places

NOTHING = Plan(())
TARGET = Target("uid-1", "repository", "root:acme:payments", "default", "orders", {"description": "Orders"})
AUTHOR = Author("Ada <x>", "ada@acme.example", datetime(2026, 1, 2, tzinfo=UTC))
FILES = {"README.md": File(b"# orders\n"), "bin/run.sh": File(b"#!/bin/sh\n", executable=True)}
FIRST = Change(FILES, "Start", AUTHOR)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """A git server on a loopback port; ``reader`` may read, ``writer`` may push."""

    places: Places
    limits: Limits = field(default_factory=Limits)
    pushes: list[tuple[str, str, list[Move]]] = field(default_factory=list)

    async def authorize(self, scope: Scope, workspace: str, repository: str, write: bool) -> Verdict:
        user = token(scope)
        if user not in {"reader", "writer"}:
            return Verdict(401)
        return Verdict(403, message="you may only read") if write and user == "reader" else Verdict(200, user)

    async def pushed(self, workspace: str, repository: str, moves: list[Move]) -> None:
        self.pushes.append((workspace, repository, moves))

    def url(self, user: str, name: str = "orders") -> str:
        address = self.places.url("root:acme:payments", name)
        return address.replace("http://", f"http://anyone:{user}@")

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        application = GitServer(self.places, self.authorize, self.pushed, self.limits)
        port = int(self.places.base_url.rpartition(":")[2])
        config = uvicorn.Config(application, host="127.0.0.1", port=port, lifespan="off", log_level="error")
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
            yield
            server.should_exit = True
            await serving


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(Places(tmp_path / "git", f"http://127.0.0.1:{free_port()}"))
    await GitDriver(made.places).apply(TARGET, NOTHING)
    async with made.served():
        yield made


@pytest.fixture
async def hosting(tmp_path: Path) -> Hosting:
    places = Places(tmp_path / "git", "http://127.0.0.1:8700")
    await GitDriver(places).apply(TARGET, NOTHING)
    return Hosting(places)


async def run_git(folder: Path, *words: str) -> tuple[int, str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@acme.example",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@acme.example",
    }
    process = await asyncio.create_subprocess_exec(
        "git", *words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def git(folder: Path, *words: str) -> str:
    code, said = await run_git(folder, *words)
    assert code == 0, said
    return said.strip()


async def test_a_clone_has_what_the_server_committed_and_a_push_is_heard(site: Site, tmp_path: Path) -> None:
    first = await Hosting(site.places).commit("root:acme:payments", "orders", FIRST)
    await git(tmp_path, "clone", "-q", site.url("reader"), "work")
    work = tmp_path / "work"
    assert (work / "README.md").read_text() == "# orders\n"
    assert os.access(work / "bin/run.sh", os.X_OK)
    (work / "new.txt").write_text("new")
    await git(work, "add", "-A")
    await git(work, "commit", "-q", "-m", "Add")
    await git(work, "tag", "v1")
    await git(work, "push", "-q", site.url("writer"), "HEAD:main", "v1")
    head = await git(work, "rev-parse", "HEAD")
    assert site.pushes == [
        (
            "root:acme:payments",
            "orders",
            [Move("refs/heads/main", first.revision, head), Move("refs/tags/v1", "", head)],
        )
    ]
    assert (await GitDriver(site.places).observe(TARGET)).outputs["head"] == head


async def test_a_push_of_many_megabytes_arrives_whole(site: Site, tmp_path: Path) -> None:
    work = tmp_path / "work"
    await git(tmp_path, "init", "-q", "-b", "main", "work")
    data = random.Random(1).randbytes(24_000_000)
    (work / "big.bin").write_bytes(data)
    await git(work, "add", "-A")
    await git(work, "commit", "-q", "-m", "Big")
    await git(work, "push", "-q", site.url("writer"), "main")
    await git(tmp_path, "clone", "-q", site.url("reader"), "again")
    assert (tmp_path / "again" / "big.bin").read_bytes() == data


async def test_nobody_and_readers_are_refused_as_git_expects_it(site: Site, tmp_path: Path) -> None:
    await Hosting(site.places).commit("root:acme:payments", "orders", FIRST)
    code, said = await run_git(tmp_path, "clone", "-q", site.places.url("root:acme:payments", "orders"), "none")
    assert (code, "could not read Username" in said) == (128, True)
    await git(tmp_path, "clone", "-q", site.url("reader"), "work")
    await git(tmp_path / "work", "commit", "-q", "--allow-empty", "-m", "Mine")
    code, said = await run_git(tmp_path / "work", "push", "-q")
    assert (code, "403" in said) == (128, True)
    code, said = await run_git(tmp_path, "clone", "-q", site.url("reader", "other"), "none")
    assert (code, "not found" in said) == (128, True)
    assert site.pushes == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/git/root:acme:payments/..%2f..%2fetc.git/info/refs?service=git-upload-pack", 404),
        ("/git/../objects/x.git/info/refs?service=git-upload-pack", 404),
        ("/git/root:acme:payments/orders.git/HEAD", 404),
        ("/git/root:acme:payments/orders.git/info/refs", 404),
        ("/git/root:acme:payments/orders.git/info/refs?service=git-upload-archive", 404),
        ("/git/root:acme:payments/orders.git/info/refs?service=git-upload-pack", 200),
    ],
)
async def test_only_the_smart_protocol_of_known_repositories_is_served(site: Site, path: str, status: int) -> None:
    async with httpx.AsyncClient(base_url=site.places.base_url, auth=("x", "reader")) as http:
        assert (await http.get(path)).status_code == status


async def test_a_request_above_the_limit_is_refused(tmp_path: Path) -> None:
    site = Site(Places(tmp_path / "git", f"http://127.0.0.1:{free_port()}"), Limits(body_bytes=100_000))
    await GitDriver(site.places).apply(TARGET, NOTHING)
    work = tmp_path / "work"
    await git(tmp_path, "init", "-q", "-b", "main", "work")
    (work / "big.bin").write_bytes(random.Random(1).randbytes(3_000_000))
    await git(work, "add", "-A")
    await git(work, "commit", "-q", "-m", "Big")
    async with site.served():
        code, _ = await run_git(work, "push", "-q", site.url("writer"), "main")
    assert code != 0
    assert commits.references(site.places.folder(TARGET.uid)) == {}
    assert site.pushes == []


async def test_the_same_tree_is_no_commit_and_history_only_grows(hosting: Hosting) -> None:
    where = ("root:acme:payments", "orders")
    first = await hosting.commit(*where, FIRST)
    again = await hosting.commit(*where, replace(FIRST, message="Again"))
    assert (first.changed, first.before, again.changed, again.revision) == (True, "", False, first.revision)
    over = replace(FIRST, files={"docs/a.md": File(b"a")}, message="Docs", whole=False)
    second = await hosting.commit(*where, over)
    assert second.before == first.revision
    assert sorted(await hosting.read_tree(*where)) == ["README.md", "bin/run.sh", "docs/a.md"]
    assert await hosting.read_tree(*where, under="docs") == {"docs/a.md": File(b"a")}
    assert await hosting.read_tree(*where, first.revision) == FILES
    assert await hosting.read_file(*where, "docs/a.md", "main") == b"a"
    assert await hosting.read_file(*where, "docs/none.md") is None
    assert await hosting.read_file(*where, "docs") is None
    assert await hosting.resolve(*where, "no-such-branch") == ""
    with pytest.raises(DriverError, match=f"branch main is at {second.revision}"):
        await hosting.commit(*where, replace(over, files=FILES, expected=first.revision))


async def test_git_itself_finds_nothing_wrong_with_our_commits(hosting: Hosting, tmp_path: Path) -> None:
    where = ("root:acme:payments", "orders")
    files = {f"{folder}/{name}": File(b"x") for folder in ("a", "a.b", "a-b") for name in ("z", "y.txt")}
    made = await hosting.commit(*where, replace(FIRST, files=files))
    folder = hosting.path(*where)
    assert await git(tmp_path, "--git-dir", str(folder), "fsck", "--strict") in {"", "notice: HEAD points to an unborn"}
    shown = await git(tmp_path, "--git-dir", str(folder), "log", "-1", "--format=%H %an %ae %aI %s", "main")
    assert shown == f"{made.revision} Ada x ada@acme.example 2026-01-02T00:00:00+00:00 Start"


async def test_the_same_first_commit_has_the_same_id_anywhere(hosting: Hosting, tmp_path: Path) -> None:
    other = Places(tmp_path / "other", "http://127.0.0.1:1")
    await GitDriver(other).apply(TARGET, NOTHING)
    where = ("root:acme:payments", "orders")
    assert await hosting.commit(*where, FIRST) == await Hosting(other).commit(*where, FIRST)


async def test_concurrent_commits_all_arrive(hosting: Hosting) -> None:
    where = ("root:acme:payments", "orders")
    await hosting.commit(*where, FIRST)
    changes = [replace(FIRST, files={f"{number}.txt": File(b"x")}, whole=False) for number in range(4)]
    await asyncio.gather(*(hosting.commit(*where, change) for change in changes))
    assert {"0.txt", "1.txt", "2.txt", "3.txt"} <= set(await hosting.read_tree(*where))


async def test_a_lock_that_a_killed_process_left_is_removed(hosting: Hosting) -> None:
    folder = hosting.path("root:acme:payments", "orders")
    lock = folder / "refs" / "heads" / "main.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    assert (await hosting.commit("root:acme:payments", "orders", FIRST)).changed


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".git/config", "a/.GIT/x", ""])
async def test_paths_that_are_none_of_a_repository_are_refused(hosting: Hosting, path: str) -> None:
    with pytest.raises(Refused, match="no path inside a repository"):
        await hosting.commit("root:acme:payments", "orders", replace(FIRST, files={path: File(b"")}))


async def test_a_repository_made_anew_under_an_old_name_is_not_the_old_one(tmp_path: Path) -> None:
    places = Places(tmp_path, "http://127.0.0.1:8700")
    driver, again = GitDriver(places), replace(TARGET, uid="uid-2")
    old = (await driver.apply(TARGET, NOTHING)).observation
    await asyncio.to_thread(commits.commit, places.folder(TARGET.uid), FIRST)
    beside = (await driver.apply(again, NOTHING)).observation
    assert old.outputs["url"] == "http://127.0.0.1:8700/git/root:acme:payments/orders.git"
    assert beside.outputs["url"] != old.outputs["url"]
    await driver.destroy(again)
    await driver.destroy(TARGET)
    fresh = (await driver.apply(again, NOTHING)).observation
    assert (fresh.outputs["url"], fresh.outputs["head"]) == (old.outputs["url"], "")
    assert os.listdir(tmp_path / "objects") == [places.folder("uid-2").name]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8700/git/root:acme:payments/orders.git", ("root:acme:payments", "orders")),
        ("https://localhost:8700/git/root%3Aacme/a.b/", ("root:acme", "a.b")),
        ("http://user:secret@localhost:8700/git/root/x", ("root", "x")),
        ("http://127.0.0.1:8701/git/root/x.git", None),
        ("https://git.example/git/root/x.git", None),
        ("http://127.0.0.1:8700/catalog/x", None),
    ],
)
def test_our_own_urls_are_known(url: str, expected: tuple[str, str] | None) -> None:
    assert Places(Path("unused"), "http://127.0.0.1:8700").locate(url) == expected
