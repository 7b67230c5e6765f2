"""A small controller on the in-memory API: what becomes of each outcome, of breaks, and of two processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests import servers

from portway.apis.resources import EVENTS, LEASES
from portway.client.contract import ALL_WORKSPACES, Client, Resource
from portway.client.inprocess import InProcessTransport
from portway.client.memory import MemoryClient
from portway.client.rest import RestClient
from portway.client.transport import Answer, Call
from portway.kit.backoffs import Backoff
from portway.kit.clocks import SystemClock
from portway.krm.errors import StatusError, not_found
from portway.krm.identity import Manifest
from portway.runtime import conditions, finalizers, objects, statuses
from portway.runtime.contract import Controller, Done, Request, Retry, Runtime, Terminal, Watch
from portway.runtime.leases import LeaderLease, LeaseTimes
from portway.runtime.running import ControllerRuntime

WIDGETS = Resource("tests.portway.dev", "v1", "widgets", "Widget")
PARTS = Resource("tests.portway.dev", "v1", "parts", "Part")
QUICK = Backoff(first=0.01, limit=0.05)
FINALIZER = "portway.dev/test"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Act = Callable[[Request], Awaitable[Done]]


class Acting:
    """A reconciler that counts its calls and does what the test says."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.calls: list[Request] = []

    async def reconcile(self, request: Request) -> Done:
        self.calls.append(request)
        return await self.act(request)


@contextlib.asynccontextmanager
async def running(client: Client, *controllers: Controller) -> AsyncIterator[ControllerRuntime]:
    runtime = ControllerRuntime(client, backoff=QUICK)
    task = asyncio.create_task(runtime.run(controllers))
    try:
        yield runtime
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await check():  # noqa: ASYNC110  the API has no event for "it is so"
            await asyncio.sleep(0.005)


async def called(acting: Acting, times: int) -> None:
    """So often, and then no more for a while."""
    await eventually(lambda: _true(len(acting.calls) >= times))
    await asyncio.sleep(0.1)
    assert len(acting.calls) == times


@pytest.fixture(params=["memory", "API server"])
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Client]:
    if request.param == "memory":
        yield MemoryClient("root:acme")
        return
    async with servers.api_server(tmp_path) as app:
        boot = servers.boot_client(app)
        for workspace in ("root:acme", "root:acme:search"):
            await servers.make_workspace(boot, workspace, ["dev"], (WIDGETS, PARTS))
        yield boot.at("root:acme")


async def make(client: Client, name: str = "one") -> Manifest:
    return await client.create(WIDGETS, {"metadata": {"name": name, "namespace": "dev"}, "spec": {"size": 1}})


async def condition(client: Client, name: str = "one") -> tuple[str, str, str]:
    found = conditions.get(await client.get(WIDGETS, name, "dev"), "Ready") or {}
    return found.get("status", ""), found.get("reason", ""), found.get("message", "")


async def events(client: Client) -> list[tuple[str, str]]:
    return [(e["type"], e["reason"]) for e in (await client.list(EVENTS)).items]


async def test_objects_from_before_and_from_now_on_are_reconciled_in_every_workspace(client: Client) -> None:
    async def act(request: Request) -> Done:
        at = client.at(request.workspace)
        manifest = await at.get(WIDGETS, request.name, request.namespace)
        status = conditions.mark_ready({}, generation=1, now=NOW)
        await statuses.write(at, WIDGETS, manifest, status)
        return Done()

    acting = Acting(act)
    await make(client)
    other = client.at("root:acme:search")
    async with running(client, Controller("widgets", WIDGETS, acting)):
        await make(other, "two")
        await eventually(lambda: _is(condition(client), ("True", "Ready", "")))
        await eventually(lambda: _is(condition(other, "two"), ("True", "Ready", "")))
        assert len(acting.calls) <= 4


@pytest.mark.parametrize(
    ("error", "expected", "warned"),
    [
        (Retry("Waiting", "for the database"), ("False", "Waiting", "for the database"), []),
        (Retry("Broken", "disk", warn=True), ("False", "Broken", "disk"), [("Warning", "Broken")]),
        (Terminal("NoMatch", "no definition"), ("False", "NoMatch", "no definition"), [("Warning", "NoMatch")]),
        (StatusError(403, "Forbidden", "not you"), ("False", "Forbidden", "not you"), [("Warning", "Forbidden")]),
        (not_found("x", "y"), ("False", "NotFound", 'x "y" not found'), [("Warning", "NotFound")]),
        (StatusError(503, "ServiceUnavailable", "soon"), ("False", "ServiceUnavailable", "soon"), []),
    ],
)
async def test_an_expected_failure_becomes_a_condition_and_maybe_an_event(
    client: Client, error: Exception, expected: tuple[str, str, str], warned: list[tuple[str, str]]
) -> None:
    async def act(request: Request) -> Done:
        raise error

    await make(client)
    async with running(client, Controller("widgets", WIDGETS, Acting(act))):
        await eventually(lambda: _is(condition(client), expected))
        await eventually(lambda: _is(events(client), warned))


async def test_a_retry_comes_again_until_it_is_done(client: Client) -> None:
    async def act(request: Request) -> Done:
        if len(acting.calls) < 4:
            raise Retry("Waiting", f"attempt {len(acting.calls)}")
        return Done()

    acting = Acting(act)
    await make(client)
    async with running(client, Controller("widgets", WIDGETS, acting)):
        await called(acting, 4)


async def test_a_terminal_failure_waits_for_a_change(client: Client) -> None:
    async def act(request: Request) -> Done:
        raise Terminal("NoMatch", "no definition matches")

    acting = Acting(act)
    await make(client)
    async with running(client, Controller("widgets", WIDGETS, acting)):
        await called(acting, 1)
        await client.patch(WIDGETS, "one", {"spec": {"size": 2}}, "dev")
        await called(acting, 2)


async def test_a_defect_names_a_correlation_id_once_and_is_in_the_log_with_it(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(request: Request) -> Done:
        raise ZeroDivisionError("secret detail")

    acting = Acting(act)
    await make(client)
    async with running(client, Controller("widgets", WIDGETS, acting)):
        await eventually(lambda: _true(len(acting.calls) >= 4))
        status, reason, message = await condition(client)
    assert (status, reason) == ("False", "InternalError")
    assert "secret detail" not in message
    logged = [r for r in caplog.records if r.getMessage() == "reconcile failed"]
    assert logged[0].exc_info is not None
    assert len({r.__dict__["cause"] for r in logged}) == 1
    assert logged[0].__dict__["cause"] == message
    events_of_defect = [event for event in await events(client) if event == ("Warning", "InternalError")]
    assert events_of_defect == [("Warning", "InternalError")]


async def test_a_passing_trouble_of_the_api_does_not_make_a_ready_object_flap(client: Client) -> None:
    async def act(request: Request) -> Done:
        if len(acting.calls) == 2:
            raise StatusError(503, "ServiceUnavailable", "soon")
        manifest = await client.get(WIDGETS, request.name, request.namespace)
        generation = objects.generation_of(manifest)
        status = conditions.mark_ready(manifest.get("status") or {}, generation=generation, now=NOW)
        written = await statuses.write(client, WIDGETS, manifest, status)
        states.append(conditions.is_true(written))
        return Done()

    acting = Acting(act)
    states: list[bool] = []
    seen: list[tuple[str, str]] = []
    await make(client)
    async with running(client, Controller("widgets", WIDGETS, acting)) as runtime:
        runtime.informer(WIDGETS).subscribe(lambda _, m: seen.append(_ready_of(m)))
        await eventually(lambda: _true(len(states) >= 2))
    assert ("False", "ServiceUnavailable") not in seen


async def test_a_conflict_is_tried_again_and_never_shown(client: Client) -> None:
    async def act(request: Request) -> Done:
        if len(acting.calls) < 3:
            raise StatusError(409, "Conflict", "changed meanwhile")
        return Done()

    acting = Acting(act)
    await make(client)
    async with running(client, Controller("widgets", WIDGETS, acting)):
        await called(acting, 3)
        assert await condition(client) == ("", "", "")


async def test_an_object_that_goes_while_it_is_worked_on_is_no_failure(client: Client) -> None:
    async def act(request: Request) -> Done:
        with contextlib.suppress(StatusError):
            await client.delete(WIDGETS, request.name, request.namespace)
        await client.get(WIDGETS, request.name, request.namespace)
        return Done()

    acting = Acting(act)
    await make(client)
    async with running(client, Controller("widgets", WIDGETS, acting)):
        await eventually(lambda: _true(bool(acting.calls)))
        await asyncio.sleep(0.1)
        assert len(acting.calls) <= 2


async def test_a_reconcile_past_its_deadline_is_stopped_and_tried_again(client: Client) -> None:
    async def act(request: Request) -> Done:
        if len(acting.calls) == 1:
            await asyncio.Event().wait()
        return Done()

    acting = Acting(act)
    await make(client)
    async with running(client, Controller("widgets", WIDGETS, acting, deadline_seconds=0.05)):
        await eventually(lambda: _true(len(acting.calls) == 2))
        assert (await condition(client))[1] == "DeadlineExceeded"


async def test_a_finalizer_holds_until_the_reconciler_has_cleaned_up(client: Client) -> None:
    cleaned: list[str] = []

    async def act(request: Request) -> Done:
        try:
            manifest = await client.get(WIDGETS, request.name, request.namespace)
        except StatusError:
            return Done()
        if objects.is_deleting(manifest):
            cleaned.append(request.name)
            await finalizers.remove(client, WIDGETS, manifest, FINALIZER)
            return Done()
        await finalizers.add(client, WIDGETS, manifest, FINALIZER)
        return Done()

    async def held() -> bool:
        return objects.has_finalizer(await client.get(WIDGETS, "one", "dev"), FINALIZER)

    async def gone() -> bool:
        return (await client.list(WIDGETS)).items == []

    await make(client)
    async with running(client, Controller("widgets", WIDGETS, Acting(act))):
        await eventually(held)
        await client.delete(WIDGETS, "one", "dev")
        await eventually(gone)
    assert cleaned == ["one"]


async def test_secondary_resources_wake_their_owner_and_listers_know_them(client: Client) -> None:
    async def act(request: Request) -> Done:
        seen.append([objects.name_of(p) for p in runtime.lister(PARTS).list(request.workspace, request.namespace)])
        return Done()

    seen: list[list[str]] = []
    owner = await make(client)
    watch = Watch(PARTS, objects.wakes_owner(WIDGETS))
    async with running(client, Controller("widgets", WIDGETS, Acting(act), watches=(watch,))) as runtime:
        await eventually(lambda: _true(seen == [[]]))
        references = [objects.owner_reference(owner)]
        await client.create(PARTS, {"metadata": {"name": "p", "namespace": "dev", "ownerReferences": references}})
        await eventually(lambda: _true(seen == [[], ["p"]]))
        assert runtime.lister(PARTS).get("root:acme", "dev", "p") is not None


async def test_an_informer_keeps_of_each_object_what_it_was_told_to(client: Client) -> None:
    def kept(manifest: Manifest) -> Manifest:
        return {"metadata": manifest["metadata"], "size": manifest["spec"]["size"]}

    await make(client, "before")
    async with running(client) as runtime:
        widgets = runtime.lister(WIDGETS, kept)
        await make(client, "after")
        await eventually(lambda: _true(len(widgets.list()) == 2))
        found = {objects.name_of(manifest): sorted(manifest) for manifest in widgets.list()}
        assert found == {"before": ["metadata", "size"], "after": ["metadata", "size"]}


async def test_a_watch_that_is_too_old_is_replaced_by_a_list_that_finds_every_difference() -> None:
    client = MemoryClient("root:acme")
    await make(client, "gone")
    await make(client, "kept")
    told: list[tuple[str, str]] = []
    async with running(client) as runtime:
        informer = runtime.informer(WIDGETS)
        informer.subscribe(lambda type_, manifest: told.append((type_, objects.name_of(manifest))))
        await informer.synced.wait()
        await client.delete(WIDGETS, "gone", "dev")
        await make(client, "new")
        client.compact()
        await eventually(lambda: _true(len(told) == 4))
    assert told == [("ADDED", "gone"), ("ADDED", "kept"), ("DELETED", "gone"), ("ADDED", "new")]


async def test_a_controller_is_added_and_removed_while_running(client: Client) -> None:
    async def act(request: Request) -> Done:
        return Done()

    acting = Acting(act)
    await make(client)
    async with running(client) as runtime:
        runtime.add(Controller("widgets", WIDGETS, acting))
        runtime.add(Controller("widgets", WIDGETS, acting))
        await called(acting, 1)
        runtime.remove("widgets")
        await asyncio.sleep(0)
        await make(client, "two")
        await called(acting, 1)


async def test_one_busy_workspace_does_not_hold_up_another(client: Client) -> None:
    stuck = asyncio.Event()
    reached = asyncio.Event()

    async def act(request: Request) -> Done:
        if request.workspace == "root:acme":
            await stuck.wait()
        else:
            reached.set()
        return Done()

    for number in range(20):
        await make(client, f"busy-{number}")
    async with running(client, Controller("widgets", WIDGETS, Acting(act), workers=4)):
        await make(client.at("root:acme:search"), "other")
        async with asyncio.timeout(20):
            await reached.wait()
        stuck.set()


async def test_of_two_processes_one_reconciles_and_the_other_takes_over() -> None:
    client = MemoryClient("root:acme")
    times = LeaseTimes(duration=5.0, renew=0.02, give_up=4.0)
    seen: dict[str, list[str]] = {"a": [], "b": []}

    def process(name: str) -> asyncio.Task[None]:
        async def act(request: Request) -> Done:
            seen[name].append(request.name)
            return Done()

        holder = f"elsewhere/{name}"
        lease = LeaderLease(client.at("root"), "controllers", SystemClock(), holder=holder, times=times)
        runtime = ControllerRuntime(client, lease=lease, backoff=QUICK)
        return asyncio.create_task(runtime.run([Controller("widgets", WIDGETS, Acting(act))]))

    async def stopped(task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait([task])

    first = process("a")
    await eventually(lambda: _has_lease(client))
    second = process("b")
    await make(client, "one")
    await eventually(lambda: _true(seen == {"a": ["one"], "b": []}))
    await stopped(first)
    await make(client, "two")
    await eventually(lambda: _true(seen == {"a": ["one"], "b": ["one", "two"]}))
    await stopped(second)


async def test_an_idle_runtime_asks_for_nothing(tmp_path: Path) -> None:
    calls: list[str] = []

    class Counting(InProcessTransport):
        async def send(self, call: Call) -> Answer:
            calls.append(f"{call.method} {call.path}")
            return await super().send(call)

    async def act(request: Request) -> Done:
        return Done()

    acting = Acting(act)
    async with servers.api_server(tmp_path) as app:
        boot = servers.boot_client(app)
        await servers.make_workspace(boot, "root:acme", ["dev"], (WIDGETS, PARTS))
        await make(boot.at("root:acme"))
        client = RestClient(Counting(app), "root", app.boot_token)
        watch = Watch(PARTS, objects.wakes_owner(WIDGETS))
        async with running(client, Controller("widgets", WIDGETS, acting, watches=(watch,))):
            await called(acting, 1)
            calls.clear()
            await asyncio.sleep(1)
    assert calls == []


async def test_the_runtime_is_what_the_contract_says(client: Client) -> None:
    runtime: Runtime = ControllerRuntime(client)
    assert runtime.client.workspace == ALL_WORKSPACES


async def _is(got: Awaitable[object], expected: object) -> bool:
    return await got == expected


async def _has_lease(client: Client) -> bool:
    return bool((await client.at("root").list(LEASES)).items)


def _ready_of(manifest: Manifest) -> tuple[str, str]:
    found = conditions.get(manifest, "Ready") or {}
    return found.get("status", ""), found.get("reason", "")


async def _true(value: bool) -> bool:
    return value
