"""Requests as client-go sends them: protobuf bodies for built-in kinds, JSON for custom ones, its Accept headers."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import orjson

from portway.krm import protobuf
from portway.krm.errors import StatusError

Manifest = dict[str, Any]
JSON = "application/json"
PROTOBUF = "application/vnd.kubernetes.protobuf"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WAIT_SECONDS = 30.0


class Watch:
    """client-go's watch.Interface over one HTTP stream."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self, type_: str = "") -> Manifest:
        """The object of the next event, which must be of the type; an ERROR event raises."""
        line = await asyncio.wait_for(anext(self._lines), WAIT_SECONDS)
        event = orjson.loads(line)
        if event["type"] == "ERROR":
            raise StatusError.from_status(event["object"])
        assert not type_ or event["type"] == type_, f"expected {type_}, got {event['type']} {event['object']}"
        found: Manifest = event["object"]
        return found

    async def event(self) -> tuple[str, Manifest]:
        event = orjson.loads(await asyncio.wait_for(anext(self._lines), WAIT_SECONDS))
        return event["type"], event["object"]

    async def ended(self) -> bool:
        try:
            await asyncio.wait_for(anext(self._lines), WAIT_SECONDS)
        except StopAsyncIteration:
            return True
        return False


class GoClient:
    """One user's requests over real HTTP. All but ``call`` raise StatusError for what client-go calls an error."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self.http = http
        self.token = token

    async def call(
        self, method: str, path: str, body: bytes | None = None, content: str = "", accept: str = JSON, **query: str
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "accept": accept, "user-agent": "e2e.test/v1.33.0 (linux)"}
        if content:
            headers["content-type"] = content
        return await self.http.request(method, path, content=body, headers=headers, params=query)

    async def do(self, method: str, path: str, body: Any = None, content: str = "", **options: str) -> Manifest:
        """``body`` is encoded as JSON unless it is bytes or text."""
        if isinstance(body, str):
            body = body.encode()
        elif body is not None and not isinstance(body, bytes):
            body, content = orjson.dumps(body), content or JSON
        answer = await self.call(method, path, body, content, **options)
        value: Manifest = orjson.loads(answer.content)
        if answer.status_code >= 300:
            assert value["kind"] == "Status", value
            assert value["code"] == answer.status_code
            raise StatusError.from_status(value)
        return value

    async def get(self, path: str, **query: str) -> Manifest:
        return await self.do("GET", path, **query)

    async def typed(self, method: str, path: str, manifest: Manifest, **query: str) -> Manifest:
        """As a generated clientset writes: the body is protobuf, and so is what it would rather read."""
        accept = f"{PROTOBUF},{JSON}"
        return await self.do(method, path, protobuf.encode(manifest), PROTOBUF, accept=accept, **query)

    async def create(self, path: str, manifest: Manifest, **query: str) -> Manifest:
        return await self.do("POST", path, manifest, **query)

    async def update(self, path: str, manifest: Manifest, **query: str) -> Manifest:
        return await self.do("PUT", path, manifest, **query)

    async def patch(self, path: str, body: Any, content: str = MERGE, **query: str) -> Manifest:
        return await self.do("PATCH", path, body, content, **query)

    async def apply(self, path: str, body: str | Manifest, manager: str, **query: str) -> Manifest:
        return await self.patch(path, body, APPLY, fieldManager=manager, **query)

    async def delete(self, path: str, options: Manifest | None = None, **query: str) -> Manifest:
        """DeleteOptions travel as the generated clients send them."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", **(options or {})}
        return await self.do("DELETE", path, body, **query)

    async def is_gone(self, path: str) -> bool:
        try:
            await self.get(path)
        except StatusError as error:
            if error.reason != "NotFound":
                raise
            return True
        return False

    @contextlib.asynccontextmanager
    async def watch(self, path: str, accept: str = JSON, **query: str) -> AsyncIterator[Watch]:
        headers = {"authorization": f"Bearer {self.token}", "accept": accept}
        async with self.http.stream("GET", path, params={"watch": "true", **query}, headers=headers) as answer:
            if answer.status_code != 200:
                raise StatusError.from_status(orjson.loads(await answer.aread()))
            assert answer.headers["content-type"] == JSON
            yield Watch(answer.aiter_lines())

    async def define(self, crd: Manifest) -> Manifest:
        """Create a CRD and wait until discovery shows every served version, then until its watch works."""
        created = await self.create(CRDS, crd)
        for version in served(crd):
            await until(partial(self.is_discovered, crd, version), "the CRD is in discovery")
        await self._prime(crd)
        return created

    async def is_discovered(self, crd: Manifest, version: str) -> bool:
        spec = crd["spec"]
        try:
            found = await self.get(f"/apis/{spec['group']}/{version}")
        except StatusError as error:
            if error.reason != "NotFound":
                raise
            return False
        return any(resource["name"] == spec["names"]["plural"] for resource in found["resources"])

    async def undefine(self, crd: Manifest) -> None:
        await self.delete(f"{CRDS}/{crd['metadata']['name']}")
        for version in served(crd):
            await until(partial(self.is_undiscovered, crd, version), "the CRD left discovery")

    async def is_undiscovered(self, crd: Manifest, version: str) -> bool:
        return not await self.is_discovered(crd, version)

    async def _prime(self, crd: Manifest) -> None:
        path = resource_path(crd, namespace="default")
        spec = crd["spec"]
        namespace = "default" if spec["scope"] == "Namespaced" else ""
        instance = {
            "apiVersion": f"{spec['group']}/{served(crd)[0]}",
            "kind": spec["names"]["kind"],
            "metadata": {"namespace": namespace, "name": "setup-instance"},
            **{"alpha": "foo_123", "beta": 10, "gamma": "bar", "delta": "hello", "epsilon": "foobar", "spec": {}},
        }
        created = await self.create(path, instance)
        revision = created["metadata"]["resourceVersion"]
        assert created["metadata"]["uid"]
        await self.delete(f"{path}/setup-instance")
        async with self.watch(path, resourceVersion=revision) as watch:
            gone = await watch.next("DELETED")
            assert gone["metadata"]["name"] == "setup-instance"


def served(crd: Manifest) -> list[str]:
    return [version["name"] for version in crd["spec"]["versions"] if version["served"]]


def resource_path(crd: Manifest, version: str = "", namespace: str = "") -> str:
    spec = crd["spec"]
    scope = f"/namespaces/{namespace}" if spec["scope"] == "Namespaced" else ""
    return f"/apis/{spec['group']}/{version or served(crd)[0]}{scope}/{spec['names']['plural']}"


def random_name(prefix: str) -> str:
    return prefix + "".join(secrets.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))


OPEN_SCHEMA: Manifest = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definition(
    *versions: str, scope: str = "Cluster", schema: Manifest | None = None, storage: str = "", status: bool = False
) -> Manifest:
    """A CRD of a random name as upstream's fixtures make it. The first version is stored unless said otherwise."""
    versions = versions or ("v1beta1",)
    name = random_name("foo") + "a"
    return {
        "kind": "CustomResourceDefinition",
        "apiVersion": "apiextensions.k8s.io/v1",
        "metadata": {"name": f"{name}s.mygroup.example.com", "creationTimestamp": None},
        "spec": {
            "group": "mygroup.example.com",
            "names": {"plural": f"{name}s", "singular": name, "kind": name, "listKind": f"{name}List"},
            "scope": scope,
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": version == (storage or versions[0]),
                    "schema": {"openAPIV3Schema": schema or OPEN_SCHEMA},
                    **({"subresources": {"status": {}}} if status else {}),
                }
                for version in versions
            ],
        },
        "status": {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": None},
    }


async def until(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = WAIT_SECONDS) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110  polled as upstream polls
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"never came true: {what}") from None
