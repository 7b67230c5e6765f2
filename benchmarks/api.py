"""The API under load, by a client of its own: against limits, or against the Kubernetes that KUBECONFIG names.

``python -m benchmarks.api [--quick] [--objects N]``; a custom resource of 2 KB with schema, RBAC on, durable writes.
The limits are multiples of kube-apiserver 1.36 with etcd 3.5 on two cores, the better of what it did. With KUBECONFIG
that server is measured in the same run, and the limits are the same multiples of what it does now.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import loads, serving
from benchmarks.reports import Measure
from benchmarks.wire import Connection, Target
from portway.client import kubeconfig
from portway.drivers.postgres import servers

_LIMITS = {
    ("create", 1): 4 * 210.0,
    ("create", 16): 4 * 422.0,
    ("get", 1): 5 * 690.0,
    ("get", 16): 5 * 1565.0,
    ("update", 1): 4 * 198.0,
    ("update", 16): 4 * 362.0,
    ("apply", 1): 4 * 134.0,
    ("apply", 16): 4 * 245.0,
}

_ON_POSTGRESQL = {("create", 1): 2 * 210.0, ("create", 16): 2 * 422.0}

_FACTORS = {"creates": 4.0, "gets": 5.0, "updates": 4.0, "applies": 4.0, "list of": 0.1}
"""Of what another server does; all else at most as much as it takes."""

_PLURALS = {"create": "creates", "get": "gets", "update": "updates", "apply": "applies"}


@dataclass(frozen=True)
class Plan:
    seconds: float = 5.0
    listed: int = 10_000
    most: int = 50_000
    watchers: int = 200
    events: int = 500


def run(plan: Plan | None = None) -> list[Measure]:
    """All measures; for the whole of Portway see ``benchmarks.workspaces``."""
    return list(measures(plan or Plan()))


def measures(plan: Plan) -> Iterator[Measure]:
    file = os.environ.get("KUBECONFIG")
    return compared(given(Path(file)), plan) if file else ours(plan)


def compared(other: Target, plan: Plan) -> Iterator[Measure]:
    """Ours beside another server, on the same machine one after the other: rates, lists and watches."""
    theirs = list(common(prepare(other), plan))
    with tempfile.TemporaryDirectory(prefix="portway-bench-") as folder:
        with serving.served(Path(folder) / "compared") as server:
            server.start()
            own = list(common(prepare(server.target()), plan))
        own += shared(Path(folder), plan)
    for measure in own:
        on_postgresql = measure.what.endswith("PostgreSQL")
        same = next(m for m in theirs if m.what == measure.what.removesuffix(", PostgreSQL"))
        factor = 2.0 if on_postgresql else _factor(measure.what)
        note = f"the other {same.value:,.2f}; asked {factor:g} times"
        yield replace(measure, limit=factor * same.value, note=note)


def common(user: Target, plan: Plan) -> Iterator[Measure]:
    """What any Kubernetes can be measured by; lists first, while both hold the same number of objects."""
    yield from lists(user, plan)
    yield from fanned(user, plan)
    yield from rates(user, "TLS", plan)


def _factor(what: str) -> float:
    return next((factor for name, factor in _FACTORS.items() if what.startswith(name)), 1.0)


def ours(plan: Plan) -> Iterator[Measure]:
    """Servers one after the other: rates on SQLite and on PostgreSQL, then sizes."""
    with tempfile.TemporaryDirectory(prefix="portway-bench-") as folder:
        with serving.served(Path(folder) / "rates") as server:
            server.start()
            user = prepare(server.target())
            yield from rates(user, "TLS", plan)
            plain = server.target(tls=False).as_user(user.token)
            yield from rates(plain, "plain HTTP", plan)
        yield from shared(Path(folder), plan)
        with serving.served(Path(folder) / "sizes") as server:
            server.start()
            server.stop()  # what the first start alone does is not measured
            yield Measure("start to ready, empty", server.start(), "s", 1.0)
            user = prepare(server.target())
            yield Measure("memory, idle", serving.resident(server.pid) / 1e6, "MB")
            yield from lists(user, plan)
            memory = serving.resident(server.pid)
            yield Measure(f"memory, {plan.listed:,} objects", memory / 1e6, "MB", 150.0)
            yield from fanned(user, plan)
            loads.fill(user, plan.most - plan.listed, "more")
            yield Measure(f"memory, {plan.most:,} objects", serving.resident(server.pid) / 1e6, "MB", 500.0)
            server.stop()
            yield Measure(f"start to ready, {plan.most:,} objects", server.start(), "s", 3.0)
            memory = serving.resident(server.pid)
            yield Measure(f"memory, {plan.most:,} objects, after a start", memory / 1e6, "MB", 500.0)


def shared(folder: Path, plan: Plan) -> Iterator[Measure]:
    """On a PostgreSQL server of its own, durable as it comes."""
    database = servers.EmbeddedServer(servers.Settings(folder / "postgres"))
    url = asyncio.run(database.start()).dsn
    try:
        with serving.served(folder / "shared", url) as server:
            server.start()
            yield from rates(prepare(server.target()), "TLS, PostgreSQL", plan, _ON_POSTGRESQL)
    finally:
        asyncio.run(database.stop())


def rates(target: Target, way: str, plan: Plan, limits: Mapping[tuple[str, int], float] = _LIMITS) -> Iterator[Measure]:
    """What there is a limit for."""
    names: list[str] = []
    for what in dict.fromkeys(what for what, _ in limits):
        for connections in (1, 16):
            prefix = f"{what}-{way.split(maxsplit=1)[0].strip(',').lower()}-{connections}"
            value = loads.rate(target, what, connections, plan.seconds, prefix, names)
            limit = limits[what, connections]
            yield Measure(
                f"{_PLURALS[what]}, {connections} connections, {way}", value, "/s", limit, more_is_better=True
            )
        names = names or [i["metadata"]["name"] for i in target.ask("GET", loads.COLLECTION + "?limit=500")["items"]]


def lists(target: Target, plan: Plan) -> Iterator[Measure]:
    loads.fill(target, plan.listed, "list")
    whole = asyncio.run(_listing(target))
    yield Measure(f"list of {plan.listed:,} objects", min(whole), "s", 0.115, f"of {len(whole)}")
    pages = asyncio.run(_paging(target))
    yield Measure("page of 500", sum(pages) / len(pages) * 1e3, "ms", 60.0, f"mean of {len(pages)}")


async def _listing(target: Target) -> list[float]:
    connection, times = await Connection.open(target), []
    for _ in range(3):
        started = time.perf_counter()
        answer = await connection.ask(target.request("GET", loads.COLLECTION))
        times.append(time.perf_counter() - started)
        assert answer.code == 200
    connection.transport.abort()
    return times


async def _paging(target: Target) -> list[float]:
    connection, times, token = await Connection.open(target), [], ""
    while True:
        path = f"{loads.COLLECTION}?limit=500" + (f"&continue={urllib.parse.quote(token)}" if token else "")
        started = time.perf_counter()
        answer = await connection.ask(target.request("GET", path))
        times.append(time.perf_counter() - started)
        token = _continue_of(answer.body)
        if not token:
            connection.transport.abort()
            return times


def _continue_of(body: bytes) -> str:
    import orjson

    return str(orjson.loads(body)["metadata"].get("continue") or "")


def fanned(target: Target, plan: Plan) -> Iterator[Measure]:
    delays = loads.fan_out(target, plan.watchers, plan.events, 0.01)
    what = f"{plan.watchers} watchers x 100 writes/s"
    note = f"{len(delays):,} of {plan.watchers * plan.events:,} delivered"
    yield Measure(f"{what}: p50", delays[len(delays) // 2], "ms", 11.0)
    yield Measure(f"{what}: p99", delays[int(len(delays) * 0.99)], "ms", 64.0, note)


def prepare(admin: Target) -> Target:
    """Namespace, kind, and a service account that RBAC allows the kind alone; as that one."""
    admin.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
    admin.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", loads.DEFINITION)
    admin.ask("POST", "/api/v1/namespaces/bench/serviceaccounts", {"metadata": {"name": "bench"}})
    rules = [{"apiGroups": [loads.GROUP], "resources": ["widgets"], "verbs": ["*"]}]
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    admin.ask("POST", f"{rbac}/clusterroles", {"metadata": {"name": "bench"}, "rules": rules})
    binding = {
        "metadata": {"name": "bench"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "bench"},
        "subjects": [{"kind": "ServiceAccount", "name": "bench", "namespace": "bench"}],
    }
    admin.ask("POST", f"{rbac}/clusterrolebindings", binding)
    asked = {"spec": {"expirationSeconds": 3600}}
    answer = admin.ask("POST", "/api/v1/namespaces/bench/serviceaccounts/bench/token", asked)
    user = admin.as_user(answer["status"]["token"])
    deadline = time.monotonic() + 30
    while True:
        try:
            user.ask("GET", loads.COLLECTION)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return user


def given(file: Path) -> Target:
    """The current context of a kubeconfig: token or client certificate."""
    connection = kubeconfig.load(file)
    address = urllib.parse.urlsplit(connection.server)
    tls = connection.tls
    certificate = ""
    if tls.certificate and tls.key:
        descriptor, certificate = tempfile.mkstemp(suffix=".pem")
        os.write(descriptor, f"{tls.certificate}\n{tls.key}".encode())
        os.close(descriptor)
    return Target(
        address.hostname or "127.0.0.1",
        address.port or 443,
        token=connection.token,
        authority=tls.ca or "",
        certificate=certificate,
        unverified=not tls.verify,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the time and of the objects")
    quick = parser.parse_args(arguments).quick
    plan = Plan(1.5, 2_000, 10_000, 50, 100) if quick else Plan()
    for measure in measures(plan):
        print(measure, flush=True)


if __name__ == "__main__":
    main()
