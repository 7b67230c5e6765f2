from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import pytest

from portway.client import discovery
from portway.client.contract import Resource
from portway.client.inprocess import InProcessTransport
from portway.client.rest import RestClient


def entry(plural: str, kind: str, *short: str, scope: str = "Namespaced") -> dict[str, Any]:
    response = {"group": "", "version": "", "kind": kind}
    names = {"resource": plural, "singularResource": kind.lower(), "shortNames": list(short)}
    return {**names, "responseKind": response, "scope": scope, "verbs": ["get"]}


DOCUMENTS = {
    "/clusters/root/api": [
        {
            "metadata": {},
            "versions": [{"version": "v1", "resources": [entry("namespaces", "Namespace", "ns", scope="Cluster")]}],
        }
    ],
    "/clusters/root/apis": [
        {
            "metadata": {"name": "catalog.portway.dev"},
            "versions": [{"version": "v1alpha1", "resources": [entry("resources", "Resource")]}],
        },
        {
            "metadata": {"name": "resources.portway.dev"},
            "versions": [
                {"version": "v1", "resources": [entry("postgreses", "Postgres", "pg"), entry("resources", "Resource")]},
                {"version": "v1beta1", "resources": [entry("postgreses", "Postgres", "pg")]},
            ],
        },
    ],
}

POSTGRESES = Resource("resources.portway.dev", "v1", "postgreses", "Postgres")


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    body = orjson.dumps({"kind": "APIGroupDiscoveryList", "items": DOCUMENTS[scope["path"]]})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("pg", POSTGRESES),
        ("Postgres", POSTGRESES),
        ("postgreses.resources.portway.dev", POSTGRESES),
        ("postgreses.v1beta1.resources.portway.dev", POSTGRESES._replace(version="v1beta1")),
        ("ns", Resource("", "v1", "namespaces", "Namespace", namespaced=False)),
        ("resources", Resource("catalog.portway.dev", "v1alpha1", "resources", "Resource")),
        ("resources.resources.portway.dev", POSTGRESES._replace(plural="resources", kind="Resource")),
    ],
)
async def test_a_word_means_a_resource(word: str, meant: Resource) -> None:
    found = await discovery.resources(RestClient(InProcessTransport(app)))
    assert discovery.choose(found, word).resource == meant


async def test_an_unknown_word_gets_a_hint() -> None:
    found = await discovery.resources(RestClient(InProcessTransport(app)))
    with pytest.raises(discovery.UnknownResource, match=r"no resource 'postgre'; did you mean postgreses\?"):
        discovery.choose(found, "postgre")
