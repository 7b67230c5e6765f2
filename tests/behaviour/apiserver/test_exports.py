"""APIs offered by one workspace and used in others: identity, bindings, conflicts, their end."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import Any

WORKSPACES = "/apis/tenancy.kcp.io/v1alpha1/workspaces"
APIS = "/apis/apis.kcp.io/v1alpha1"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.org/v1/namespaces/default/widgets"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def _schema(prefix: str = "v1", properties: dict[str, Any] | None = None, **names: str) -> dict[str, Any]:
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList", **names}
    spec = {"type": "object", "properties": properties or {"n": {"type": "integer"}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"type": "object", "properties": {"spec": spec}},
    }
    return {
        "metadata": {"name": f"{prefix}.{names['plural']}.example.org"},
        "spec": {"group": "example.org", "names": names, "scope": "Namespaced", "versions": [version]},
    }


async def _provider(api: Any, name: str = "shop", **spec: Any) -> Any:
    """A workspace with an export of Widgets."""
    await api.post(WORKSPACES, {"metadata": {"name": name}, "spec": {}})
    provider = api.at(f"root:{name}")
    schema = await provider.post(f"{APIS}/apiresourceschemas", _schema())
    spec = {"latestResourceSchemas": [schema["metadata"]["name"]], **spec}
    await provider.post(f"{APIS}/apiexports", {"metadata": {"name": name}, "spec": spec})
    return provider


def _binding(export: str = "shop", name: str = "", **spec: Any) -> dict[str, Any]:
    reference = {"export": {"path": f"root:{export}", "name": export}}
    return {"metadata": {"name": name or export}, "spec": {"reference": reference, **spec}}


async def _consumer(api: Any, name: str, *bindings: dict[str, Any]) -> Any:
    await api.post(WORKSPACES, {"metadata": {"name": name}, "spec": {}})
    for binding in bindings:
        await api.at(f"root:{name}").post(f"{APIS}/apibindings", binding)
    return api.at(f"root:{name}")


def _conditions(manifest: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c.get("reason") or c["status"] for c in manifest["status"]["conditions"]}


async def test_an_export_has_an_identity_and_says_where_its_provider_looks(api: Any) -> None:
    provider = await _provider(api)
    export = await provider.get(f"{APIS}/apiexports/shop")
    named = export["spec"]["identity"]["secretRef"]
    secret = await provider.get(f"/api/v1/namespaces/{named['namespace']}/secrets/{named['name']}")
    assert export["status"]["identityHash"] == hashlib.sha256(b64decode(secret["data"]["key"])).hexdigest()
    cluster = export["metadata"]["annotations"]["kcp.io/cluster"]
    [view] = export["status"]["virtualWorkspaces"]
    assert view["url"].endswith(f"/services/apiexport/{cluster}/shop")
    slice_ = await provider.get(f"{APIS}/apiexportendpointslices/shop")
    assert slice_["status"]["endpoints"] == [view]
    forged = {**export, "status": {**export["status"], "identityHash": "0" * 64}}
    assert (await provider.put(f"{APIS}/apiexports/shop/status", forged))["status"] == export["status"]


async def test_a_binding_says_what_it_serves(api: Any) -> None:
    provider = await _provider(api)
    consumer = await _consumer(api, "a", _binding())
    bound = await consumer.get(f"{APIS}/apibindings/shop")
    schema = await provider.get(f"{APIS}/apiresourceschemas/v1.widgets.example.org")
    export = await provider.get(f"{APIS}/apiexports/shop")
    assert bound["status"]["phase"] == "Bound"
    assert bound["status"]["boundResources"] == [
        {
            "group": "example.org",
            "resource": "widgets",
            "schema": {
                "name": "v1.widgets.example.org",
                "UID": schema["metadata"]["uid"],
                "identityHash": export["status"]["identityHash"],
            },
            "storageVersions": ["v1"],
        }
    ]
    assert set(_conditions(bound).values()) == {"True"}


async def test_a_schema_cannot_be_changed(api: Any) -> None:
    provider = await _provider(api)
    path = f"{APIS}/apiresourceschemas/v1.widgets.example.org"
    schema = await provider.get(path)
    schema["spec"]["names"]["shortNames"] = ["w"]
    assert (await provider.refused("PUT", path, schema))[0] == 422


async def test_a_new_schema_holds_for_all_consumers_at_once(api: Any, make: Any) -> None:
    provider = await _provider(api)
    consumers = [await _consumer(api, name, _binding()) for name in ("a", "b")]
    for consumer in consumers:
        created = await consumer.post(WIDGETS, make.widget("w", n=1, colour="red"))
        assert created["spec"] == {"n": 1}
    await provider.post(f"{APIS}/apiresourceschemas", _schema("v2", {"colour": {"type": "string", "default": "blue"}}))
    newest = {"spec": {"latestResourceSchemas": ["v2.widgets.example.org"]}}
    await provider.patch(f"{APIS}/apiexports/shop", newest)
    for consumer in consumers:
        created = await consumer.post(WIDGETS, make.widget("new", n=1))
        assert created["spec"] == {"colour": "blue"}

    async def is_told() -> bool:
        found = [await c.get(f"{APIS}/apibindings/shop") for c in consumers]
        return all(f["status"]["boundResources"][0]["schema"]["name"] == "v2.widgets.example.org" for f in found)

    await make.eventually(is_told, "the bindings say so")


async def test_a_binding_that_conflicts_with_a_crd_waits_and_says_why(api: Any, make: Any) -> None:
    await _provider(api)
    consumer = await _consumer(api, "a")
    await consumer.post(CRDS, make.definition({"own": {"type": "string"}}))
    bound = await consumer.post(f"{APIS}/apibindings", _binding())
    assert bound["status"]["phase"] == "Binding"
    assert _conditions(bound)["InitialBindingCompleted"] == "NamingConflicts"
    [message] = {c["message"] for c in bound["status"]["conditions"] if c["type"] == "BindingUpToDate"}
    assert message.startswith('naming conflict with CustomResourceDefinition "widgets.example.org"')
    assert (await consumer.post(WIDGETS, make.widget("w", own="x")))["spec"] == {"own": "x"}
    await consumer.delete(f"{CRDS}/widgets.example.org")

    async def is_bound() -> bool:
        return bool((await consumer.get(f"{APIS}/apibindings/shop"))["status"]["phase"] == "Bound")

    await make.eventually(is_bound, "the name is free")
    assert (await consumer.post(WIDGETS, make.widget("w", n=1)))["spec"] == {"n": 1}


async def test_two_bindings_do_not_serve_one_name(api: Any) -> None:
    await _provider(api)
    await _provider(api, "other")
    consumer = await _consumer(api, "a", _binding(), _binding("other"))
    second = await consumer.get(f"{APIS}/apibindings/other")
    assert second["status"]["phase"] == "Binding"
    [message] = {c["message"] for c in second["status"]["conditions"] if c["type"] == "Ready"}
    assert message.startswith('naming conflict with APIBinding "shop" bound to root:shop:shop')


async def test_a_crd_may_not_take_a_bound_name(api: Any, make: Any) -> None:
    await _provider(api)
    consumer = await _consumer(api, "a", _binding())
    crd = await consumer.post(CRDS, make.definition({}))
    assert {c["type"]: c["status"] for c in crd["status"]["conditions"]} == {
        "NamesAccepted": "False",
        "Established": "False",
    }
    assert (await consumer.post(WIDGETS, make.widget("w", n=1)))["spec"] == {"n": 1}


async def test_an_export_that_is_not_there_is_named(api: Any) -> None:
    consumer = await _consumer(api, "a")
    bound = await consumer.post(f"{APIS}/apibindings", _binding("nowhere"))
    assert (bound["status"]["phase"], _conditions(bound)["APIExportValid"]) == ("Binding", "APIExportNotFound")


async def test_what_is_bound_goes_before_its_binding(api: Any, make: Any) -> None:
    await _provider(api)
    consumer = await _consumer(api, "a", _binding())
    held = make.widget("held", n=1)
    held["metadata"]["finalizers"] = ["example.org/hold"]
    await consumer.post(WIDGETS, held)
    await consumer.delete(f"{APIS}/apibindings/shop")

    async def says_why() -> bool:
        bound = await consumer.get(f"{APIS}/apibindings/shop")
        return _conditions(bound).get("BindingResourceDeleteSuccess") == "SomeResourcesRemain"

    await make.eventually(says_why, "it waits for the held object")
    assert (await consumer.refused("POST", WIDGETS, make.widget("late", n=1)))[0] == 405
    await consumer.patch(f"{WIDGETS}/held", {"metadata": {"finalizers": None}})

    async def is_gone() -> bool:
        return bool((await consumer.call("GET", f"{APIS}/apibindings/shop")).status_code == 404)

    await make.eventually(is_gone, "the binding is gone")
    assert (await consumer.refused("GET", WIDGETS))[0] == 404


async def _grant(api: Any, user: str, *rules: dict[str, Any]) -> None:
    await api.post(f"{RBAC}/clusterroles", {"metadata": {"name": f"r-{user}"}, "rules": list(rules)})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"r-{user}"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]
    binding = {"metadata": {"name": f"r-{user}"}, "roleRef": reference, "subjects": subjects}
    await api.post(f"{RBAC}/clusterrolebindings", binding)


EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
ACCESS = {"nonResourceURLs": ["/"], "verbs": ["access"]}


async def test_binding_needs_bind_and_refusals_hide_what_there_is(api: Any, server: Any) -> None:
    provider = await _provider(api)
    consumer = await _consumer(api, "a")
    await _grant(consumer, "alice", ACCESS, EVERYTHING)
    alice = consumer.as_user(await server.tokens.mint("alice"))
    refused = {(await alice.refused("POST", f"{APIS}/apibindings", _binding(e, "x")))[0] for e in ("shop", "nowhere")}
    texts = {
        (await alice.refused("POST", f"{APIS}/apibindings", _binding(e, "x")))[2].replace(e, "?")
        for e in ("shop", "nowhere")
    }
    assert (refused, len(texts)) == ({403}, 1)
    await _grant(provider, "alice", {"apiGroups": ["apis.kcp.io"], "resources": ["apiexports"], "verbs": ["bind"]})
    assert (await alice.post(f"{APIS}/apibindings", _binding()))["status"]["phase"] == "Bound"


async def test_an_export_limits_what_users_of_its_bindings_may_do(api: Any, server: Any, make: Any) -> None:
    provider = await _provider(api, maximalPermissionPolicy={"local": {}})
    consumer = await _consumer(api, "a", _binding())
    await _grant(consumer, "alice", ACCESS, EVERYTHING)
    alice = consumer.as_user(await server.tokens.mint("alice"))
    assert (await alice.refused("GET", WIDGETS))[0] == 403
    rule = {"apiGroups": ["example.org"], "resources": ["widgets"], "verbs": ["get", "list"]}
    await _grant(provider, "apis.kcp.io:binding:alice", rule)
    assert (await alice.get(WIDGETS))["items"] == []
    assert (await alice.refused("POST", WIDGETS, make.widget("w", n=1)))[0] == 403
    assert (await alice.get("/api/v1/namespaces/default/configmaps"))["kind"] == "ConfigMapList"


async def test_a_definition_that_goes_takes_nothing_along_that_a_binding_serves(api: Any, make: Any) -> None:
    """Else who may make definitions could delete what he may not."""
    await _provider(api)
    consumer = await _consumer(api, "a", _binding())
    await consumer.post(WIDGETS, make.widget("w", n=1))
    made = await consumer.post(CRDS, make.definition({"n": {"type": "integer"}}))
    assert _conditions(made)["NamesAccepted"] == "NameConflict"
    await consumer.delete(f"{CRDS}/widgets.example.org")

    async def gone() -> bool:
        return bool((await consumer.call("GET", f"{CRDS}/widgets.example.org")).status_code == 404)

    await make.eventually(gone, "the definition is gone")
    assert (await consumer.get(f"{WIDGETS}/w"))["spec"] == {"n": 1}


async def test_no_status_of_a_definition_puts_it_in_the_place_of_what_is_bound(api: Any, make: Any) -> None:
    await _provider(api)
    consumer = await _consumer(api, "a", _binding())
    definition = make.definition({"s": {"type": "string"}})
    more = {**definition["spec"]["versions"][0], "name": "v2", "storage": False}
    definition["spec"]["versions"].append(more)
    await consumer.post(CRDS, definition)
    established = [{"type": kind, "status": "True"} for kind in ("Established", "NamesAccepted")]
    await consumer.patch(f"{CRDS}/widgets.example.org/status", {"status": {"conditions": established}})
    refused = await consumer.refused("POST", WIDGETS, make.widget("w", s="free"), fieldValidation="Strict")
    assert refused[0] == 400
    assert 'unknown field "spec.s"' in refused[2]
    other = "/apis/example.org/v2/namespaces/default/widgets"
    assert (await consumer.call("GET", other)).status_code == 404


async def test_nobody_writes_who_an_export_is_or_what_is_bound(api: Any, server: Any) -> None:
    provider = await _provider(api)
    consumer = await _consumer(api, "a", _binding())
    for workspace in (provider, consumer):
        await _grant(workspace, "eve", ACCESS, EVERYTHING)
    token = await server.tokens.mint("eve")
    headers = {"content-type": "application/merge-patch+json"}
    forged = {"status": {"identityHash": "another", "virtualWorkspaces": [{"url": "https://evil.test"}]}}
    empty = {"status": {"phase": "Binding", "boundResources": []}}
    for workspace, plural, body in ((provider, "apiexport", forged), (consumer, "apibinding", empty)):
        path = f"{APIS}/{plural}s/shop/status"
        code, _, message = await workspace.as_user(token).refused("PATCH", path, body, headers=headers)
        assert (code, message.endswith(f"{plural} status updates not permitted")) == (403, True)
