"""Two tenants do whatever they like; neither ever sees, counts or changes anything of the other."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portway.apiserver.app import ApiServer
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore

CONFIGS = "/api/v1/namespaces/default/configmaps"
WORKSPACES = "/apis/tenancy.kcp.io/v1alpha1/workspaces"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
TENANTS = ("ann", "bob")
NAMES = st.sampled_from(["x", "y", "z"])

operations = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["put", "delete", "get", "trespass"]), st.sampled_from(TENANTS), NAMES),
        st.tuples(
            st.sampled_from(["list", "page", "wildcard", "crd", "discover", "sub"]), st.sampled_from(TENANTS), NAMES
        ),
    ),
    min_size=5,
    max_size=30,
)


class _World:
    """The server, and beside it what each tenant alone did."""

    def __init__(self, app: ApiServer) -> None:
        transport = httpx.ASGITransport(app=app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://portway")
        self.app = app
        self.tokens: dict[str, str] = {"": app.boot_token}
        self.configs: dict[str, dict[str, str]] = {tenant: {} for tenant in TENANTS}
        self.crds: dict[str, set[str]] = {tenant: set() for tenant in TENANTS}
        self.below: dict[str, set[str]] = {tenant: set() for tenant in TENANTS}
        self.secrets: dict[str, set[str]] = {tenant: set() for tenant in TENANTS}
        """What must never reach the other."""

    async def prepare(self) -> None:
        for tenant in TENANTS:
            made = await self.call("", "POST", "root", WORKSPACES, {"metadata": {"name": f"of-{tenant}"}, "spec": {}})
            self.tokens[tenant] = await self.app.tokens.mint(tenant)
            self.secrets[tenant] |= {made["spec"]["cluster"], made["metadata"]["uid"]}
            role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
            subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": tenant}
            binding = {"metadata": {"name": "owner"}, "roleRef": role, "subjects": [subject]}
            await self.call("", "POST", f"root:of-{tenant}", f"{RBAC}/clusterrolebindings", binding)

    async def call(self, who: str, method: str, where: str, path: str, body: Any = None, **query: Any) -> Any:
        headers = {"authorization": f"Bearer {self.tokens[who]}"}
        answer = await self.client.request(
            method, f"/clusters/{where}{path}", json=body, headers=headers, params=query or None
        )
        assert answer.status_code < 500, answer.text
        if who:
            other = next(tenant for tenant in TENANTS if tenant != who)
            leaked = [secret for secret in self.secrets[other] if secret in answer.text]
            assert not leaked, f"{who} learned {leaked} of {other} by {method} {where}{path}"
        return answer.json()

    async def do(self, operation: str, tenant: str, name: str) -> None:
        home, other = f"root:of-{tenant}", next(each for each in TENANTS if each != tenant)
        match operation:
            case "put":
                value = f"secret-of-{tenant}-{name}"
                self.secrets[tenant].add(value)
                await self.call(tenant, "DELETE", home, f"{CONFIGS}/{name}")
                await self.call(tenant, "POST", home, CONFIGS, {"metadata": {"name": name}, "data": {"v": value}})
                self.configs[tenant][name] = value
            case "delete":
                await self.call(tenant, "DELETE", home, f"{CONFIGS}/{name}")
                self.configs[tenant].pop(name, None)
            case "get":
                found = await self.call(tenant, "GET", home, f"{CONFIGS}/{name}")
                assert (found.get("data") or {}).get("v") == self.configs[tenant].get(name)
            case "list":
                assert await self._listed(tenant, home) == self.configs[tenant]
            case "page":
                page = await self.call(tenant, "GET", home, CONFIGS, limit=1)
                rest = page["metadata"].get("remainingItemCount", 0)
                assert len(page["items"]) + rest == len(self.configs[tenant]) + 1  # kube-root-ca.crt
            case "crd":
                plural = f"{name}s{tenant}"
                names = {"plural": plural, "kind": plural.capitalize()}
                schema = {"openAPIV3Schema": {"type": "object"}}
                version = {"name": "v1", "served": True, "storage": True, "schema": schema}
                spec = {"group": "example.org", "scope": "Cluster", "names": names, "versions": [version]}
                body = {"metadata": {"name": f"{plural}.example.org"}, "spec": spec}
                await self.call(tenant, "POST", home, CRDS, body)
                self.crds[tenant].add(plural)
                self.secrets[tenant].add(plural)
            case "discover":
                found = await self.call(tenant, "GET", home, "/apis/example.org/v1")
                served = {each["name"] for each in found.get("resources") or ()}
                assert served == self.crds[tenant]
            case "sub":
                await self.call(
                    tenant, "POST", home, WORKSPACES, {"metadata": {"name": f"{name}-{tenant}"}, "spec": {}}
                )
                self.below[tenant].add(f"{name}-{tenant}")
                listed = await self.call(tenant, "GET", home, WORKSPACES)
                assert {item["metadata"]["name"] for item in listed["items"]} == self.below[tenant]
            case "wildcard":
                assert (await self.call(tenant, "GET", "*", "/api/v1/configmaps"))["code"] == 403
            case "trespass":
                await self._trespass(tenant, other, name)

    async def _listed(self, tenant: str, home: str) -> dict[str, str]:
        found = await self.call(tenant, "GET", home, CONFIGS)
        items = {item["metadata"]["name"]: (item.get("data") or {}).get("v", "") for item in found["items"]}
        items.pop("kube-root-ca.crt")
        return items

    async def _trespass(self, tenant: str, other: str, name: str) -> None:
        """What is there and what is not are refused in the same words."""
        texts = set()
        for place in (f"root:of-{other}", "root:of-nobody", f"root:of-{other}:{name}-{other}"):
            for method, path in (("GET", CONFIGS), ("GET", "/api"), ("DELETE", f"{CONFIGS}/{name}")):
                answer = await self.call(tenant, method, place, path)
                assert answer["code"] == 403
                texts.add((method, path, answer["message"].replace(place, "?")))
        assert len(texts) == 3


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(operations)
def test_two_tenants_never_see_one_another(done: list[tuple[str, str, str]]) -> None:
    asyncio.run(_play(done))


async def _play(done: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(SqliteStore(Path(folder) / "store.db"))
        await cache.start()
        app = ApiServer(cache)
        await app.start()
        world = _World(app)
        try:
            await world.prepare()
            for operation, tenant, name in done:
                await world.do(operation, tenant, name)
            for tenant in TENANTS:
                await world.do("list", tenant, "x")
                await world.do("trespass", tenant, "x")
        finally:
            await world.client.aclose()
            await app.close()
            await cache.close()
