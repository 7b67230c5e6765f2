"""apis.kcp.io v1alpha2 beside v1alpha1: what kcp's plugins and controllers of either version meet."""

from __future__ import annotations

from typing import Any

import pytest

from portway.apiserver import exportforms, objects
from portway.store.contract import Key, Put

from .test_exports import (
    ACCESS,
    APIS,
    EVERYTHING,
    WIDGETS,
    _binding,
    _conditions,
    _consumer,
    _grant,
    _schema,
)
from .test_provider_views import CONFIGS

NEXT = "/apis/apis.kcp.io/v1alpha2"
WORKSPACES = "/apis/tenancy.kcp.io/v1alpha1/workspaces"
TYPES = "/apis/tenancy.kcp.io/v1alpha1/workspacetypes"
WIDGET = {"name": "widgets", "group": "example.org", "schema": "v1.widgets.example.org"}
ASK = {"group": "", "resource": "configmaps", "verbs": ["get", "list"]}


def _answer(state: str = "Accepted", **claim: Any) -> dict[str, Any]:
    return {**ASK, "selector": {"matchAll": True}, "state": state, **claim}


async def _shop(api: Any, **spec: Any) -> Any:
    """A workspace with an export of Widgets, made in v1alpha2."""
    await api.post(WORKSPACES, {"metadata": {"name": "shop"}, "spec": {}})
    provider = api.at("root:shop")
    await provider.post(f"{APIS}/apiresourceschemas", _schema())
    await provider.post(f"{NEXT}/apiexports", {"metadata": {"name": "shop"}, "spec": {"resources": [WIDGET], **spec}})
    return provider


async def test_discovery_prefers_the_new_version(api: Any) -> None:
    group = await api.get("/apis/apis.kcp.io")
    assert [each["version"] for each in group["versions"]] == ["v1alpha2", "v1alpha1"]
    assert group["preferredVersion"]["version"] == "v1alpha2"
    names = {r["name"] for r in (await api.get(NEXT))["resources"]}
    assert names == {"apibindings", "apibindings/status", "apiexports", "apiexports/status"}


async def test_an_export_is_one_object_in_two_versions(api: Any) -> None:
    provider = await _shop(api, permissionClaims=[ASK])
    export = await provider.get(f"{NEXT}/apiexports/shop")
    assert export["apiVersion"] == "apis.kcp.io/v1alpha2"
    assert export["spec"]["resources"] == [{**WIDGET, "storage": {"crd": {}}}]
    assert export["spec"]["permissionClaims"] == [{**ASK, "identityHash": ""}]
    old = await provider.get(f"{APIS}/apiexports/shop")
    assert old["spec"]["latestResourceSchemas"] == [WIDGET["schema"]]
    assert old["metadata"]["resourceVersion"] == export["metadata"]["resourceVersion"]
    # As a client of v1alpha1 writes it back that does not know verbs.
    old["spec"]["permissionClaims"] = [{"group": "", "resource": "configmaps", "all": True}]
    old["metadata"]["labels"] = {"seen": "yes"}
    await provider.put(f"{APIS}/apiexports/shop", old)
    assert (await provider.get(f"{NEXT}/apiexports/shop"))["spec"] == export["spec"]


async def test_a_binding_says_in_both_versions_what_is_in_force(api: Any) -> None:
    await _shop(api, permissionClaims=[ASK])
    consumer = await _consumer(api, "a")
    made = await consumer.post(f"{NEXT}/apibindings", _binding(permissionClaims=[_answer()]))
    scoped = {"group": "", "resource": "configmaps", "verbs": ["get", "list"], "identityHash": ""}
    assert made["status"]["phase"] == "Bound"
    assert made["status"]["exportPermissionClaims"] == [scoped]
    assert made["status"]["appliedPermissionClaims"] == [{**scoped, "selector": {"matchAll": True}}]
    assert set(_conditions(made).values()) == {"True"}
    old = await consumer.get(f"{APIS}/apibindings/shop")
    assert old["status"]["exportPermissionClaims"] == [
        {"group": "", "resource": "configmaps", "verbs": ["get", "list"], "all": True}
    ]
    assert old["status"]["boundResources"] == made["status"]["boundResources"]


async def test_a_watch_shows_the_version_it_asked_for(api: Any) -> None:
    await _shop(api)
    consumer = await _consumer(api, "a")
    for version, other in ((APIS, NEXT), (NEXT, APIS)):
        listed = await consumer.get(f"{version}/apibindings")
        revision = listed["metadata"]["resourceVersion"]
        async with consumer.watch(f"{version}/apibindings", resourceVersion=revision) as watch:
            await consumer.post(f"{other}/apibindings", _binding(name=f"of-{other[-1]}"))
            kind, seen = await watch.next()
        assert (kind, seen["apiVersion"]) == ("ADDED", version.removeprefix("/apis/"))


async def test_bindings_learn_of_new_claims(api: Any, make: Any) -> None:
    provider = await _shop(api)
    consumer = await _consumer(api, "a", _binding())
    await provider.patch(f"{NEXT}/apiexports/shop", {"spec": {"permissionClaims": [ASK]}})

    async def is_told() -> bool:
        status = (await consumer.get(f"{NEXT}/apibindings/shop"))["status"]
        return bool(status.get("exportPermissionClaims") == [{**ASK, "identityHash": ""}])

    await make.eventually(is_told, "the binding says what the export asks for")


async def test_a_provider_does_what_both_sides_say(api: Any, server: Any, make: Any) -> None:
    provider = await _shop(api, permissionClaims=[{**ASK, "verbs": ["get", "list", "create"]}])
    consumer = await _consumer(api, "a")
    await consumer.post(f"{NEXT}/apibindings", _binding(permissionClaims=[_answer(verbs=["get", "delete"])]))
    await consumer.post(CONFIGS, make.config("settings"))
    await _grant(provider, "operator", ACCESS, {**EVERYTHING, "resources": ["apiexports/content"]})
    operator = api.as_user(await server.tokens.mint("operator"))
    [endpoint] = (await provider.get(f"{APIS}/apiexportendpointslices/shop"))["status"]["endpoints"]
    cluster = (await api.get(f"{WORKSPACES}/a"))["spec"]["cluster"]
    one = "/" + endpoint["url"].split("/", 3)[3] + f"/clusters/{cluster}"
    assert (await operator.get(f"{one}{CONFIGS}/settings"))["metadata"]["name"] == "settings"
    assert (await operator.refused("DELETE", f"{one}{CONFIGS}/settings"))[0] == 403
    assert (await operator.refused("POST", f"{one}{CONFIGS}", make.config("made")))[0] == 403
    both = [each["metadata"]["name"] for each in (await operator.get(f"{one}{NEXT}/apibindings"))["items"]]
    assert both == [each["metadata"]["name"] for each in (await operator.get(f"{one}{APIS}/apibindings"))["items"]]
    assert both == ["shop"]


async def test_an_answer_that_differs_is_told_and_keeps_the_binding_ready(api: Any) -> None:
    await _shop(api, permissionClaims=[ASK])
    consumer = await _consumer(api, "a")
    claims = [_answer(verbs=["get"]), _answer(resource="secrets")]
    made = await consumer.post(f"{NEXT}/apibindings", _binding(permissionClaims=claims[:1]))
    assert _conditions(made) == {
        "Ready": "True",
        "APIExportValid": "True",
        "BindingUpToDate": "True",
        "InitialBindingCompleted": "True",
        "PermissionClaimsApplied": "True",
        "PermissionClaimsValid": "PermissionClaimsMismatch",
    }
    changed = await consumer.patch(f"{NEXT}/apibindings/shop", {"spec": {"permissionClaims": claims}})
    told = {each["type"]: each for each in changed["status"]["conditions"]}["PermissionClaimsValid"]
    assert (told["reason"], told["message"]) == (
        "InvalidPermissionClaims",
        "1 unexpected and/or invalid permission claims (showing first 1): unexpected/invalid claim for secrets. "
        '(identity "")',
    )
    assert _conditions(changed)["Ready"] == "True"


async def test_what_a_type_binds_is_claimed_as_the_provider_suggests(api: Any) -> None:
    selector = {"matchLabels": {"for": "shop"}}
    await _shop(api, permissionClaims=[{**ASK, "defaultSelector": selector}])
    bindings = [{"path": "root:shop", "export": "shop"}]
    await api.post(TYPES, {"metadata": {"name": "buyer"}, "spec": {"defaultAPIBindings": bindings}})
    await api.post(WORKSPACES, {"metadata": {"name": "b"}, "spec": {"type": {"name": "buyer"}}})
    binding = await api.at("root:b").get(f"{NEXT}/apibindings/shop")
    [claim] = binding["spec"]["permissionClaims"]
    assert (claim["selector"], claim["verbs"], claim["state"]) == (selector, ["get", "list"], "Accepted")
    [applied] = binding["status"]["appliedPermissionClaims"]
    assert applied["selector"] == selector


@pytest.mark.parametrize(
    ("reason", "spec", "field"),
    [
        ("the schema is of another kind", {"resources": [{**WIDGET, "name": "gadgets"}]}, "spec.resources[0].schema"),
        (
            "objects are kept elsewhere",
            {
                "resources": [
                    {**WIDGET, "storage": {"virtual": {"reference": {"kind": "S", "name": "s"}, "identityHash": "x"}}}
                ]
            },
            "spec.resources[0].storage.virtual",
        ),
        ("a claim without verbs", {"permissionClaims": [{**ASK, "verbs": []}]}, "spec.permissionClaims[0].verbs"),
        (
            "a kind of somebody's export, but whose?",
            {"permissionClaims": [{"group": "ab.cd", "resource": "cs", "verbs": ["*"]}]},
            "spec.permissionClaims[0].identityHash",
        ),
    ],
)
async def test_an_export_that_means_nothing_is_refused(api: Any, reason: str, spec: Any, field: str) -> None:
    answer = await api.call("POST", f"{NEXT}/apiexports", {"metadata": {"name": "e"}, "spec": spec})
    causes = (answer.json()["details"] or {}).get("causes") or ()
    assert (answer.status_code, [cause["field"] for cause in causes]) == (422, [field]), reason


@pytest.mark.parametrize(
    ("reason", "claim", "field"),
    [
        ("nothing chosen", _answer(selector={}), "selector"),
        (
            "everything and a label",
            _answer(selector={"matchAll": True, "matchLabels": {"a": "b"}}),
            "selector.matchLabels",
        ),
        ("no such operator", _answer(selector={"matchExpressions": [{"key": "a", "operator": "Is"}]}), "selector"),
        ("a selector within a value", _answer(selector={"matchLabels": {"a": "b,c=d"}}), "selector.matchLabels"),
    ],
)
async def test_an_answer_says_which_objects(api: Any, reason: str, claim: Any, field: str) -> None:
    answer = await api.call("POST", f"{NEXT}/apibindings", _binding(permissionClaims=[claim]))
    causes = (answer.json()["details"] or {}).get("causes") or ()
    assert answer.status_code == 422, reason
    assert next(c["field"] for c in causes).startswith(f"spec.permissionClaims[0].{field}"), reason


async def test_a_binding_does_not_change_what_it_is_about(api: Any) -> None:
    await _shop(api, permissionClaims=[ASK])
    consumer = await _consumer(api, "a")
    await consumer.post(f"{NEXT}/apibindings", _binding(permissionClaims=[_answer()]))
    merge = {"headers": {"content-type": "application/merge-patch+json"}}
    other = {"spec": {"reference": {"export": {"name": "other"}}}}
    for version in (APIS, NEXT):
        assert (await consumer.call("PATCH", f"{version}/apibindings/shop", other, **merge)).status_code == 422
    narrowed = {"spec": {"permissionClaims": [_answer(selector={"matchLabels": {"a": "b"}})]}}
    answer = await consumer.call("PATCH", f"{NEXT}/apibindings/shop", narrowed, **merge)
    [cause] = answer.json()["details"]["causes"]
    assert cause["field"] == "spec.permissionClaims[0].selector"
    rejected = {"spec": {"permissionClaims": [_answer("Rejected")]}}
    assert (await consumer.patch(f"{NEXT}/apibindings/shop", rejected))["status"]["appliedPermissionClaims"] == []


async def test_apply_speaks_either_version(api: Any) -> None:
    await _shop(api, permissionClaims=[ASK])
    consumer = await _consumer(api, "a")
    for version in ("v1alpha2", "v1alpha1"):
        name = f"in-{version}"
        body = {"apiVersion": f"apis.kcp.io/{version}", "kind": "APIBinding", **_binding(name=name)}
        body["spec"]["permissionClaims"] = [
            _answer() if version == "v1alpha2" else {"resource": "configmaps", "all": True, "state": "Accepted"}
        ]
        path = f"/apis/apis.kcp.io/{version}/apibindings/{name}"
        first = await consumer.patch(path, body, "apply-patch+yaml", fieldManager="me", fieldValidation="Strict")
        again = await consumer.patch(path, body, "apply-patch+yaml", fieldManager="me", fieldValidation="Strict")
        assert again == first


async def test_nobody_but_the_server_says_what_is_bound(api: Any, server: Any) -> None:
    provider = await _shop(api)
    consumer = await _consumer(api, "a", _binding())
    merge = {"headers": {"content-type": "application/merge-patch+json"}}
    for place, path in ((consumer, f"{NEXT}/apibindings/shop"), (provider, f"{NEXT}/apiexports/shop")):
        await _grant(place, "alice", ACCESS, EVERYTHING)
        alice = place.as_user(await server.tokens.mint("alice"))
        forged = await alice.call("PATCH", f"{path}/status", {"status": {"phase": "Bound"}}, **merge)
        assert forged.status_code == 403


async def test_the_slice_goes_with_its_export_and_can_be_left_out(api: Any, make: Any) -> None:
    provider = await _shop(api)
    quiet = {"name": "quiet", "annotations": {"apiexports.apis.kcp.io/skip-endpointslice": "true"}}
    await provider.post(f"{NEXT}/apiexports", {"metadata": quiet, "spec": {}})
    assert make.names_of(await provider.get(f"{APIS}/apiexportendpointslices")) == ["shop"]
    await provider.delete(f"{NEXT}/apiexports/shop")

    async def is_gone() -> bool:
        return not (await provider.get(f"{APIS}/apiexportendpointslices"))["items"]

    await make.eventually(is_gone, "the slice is collected")


async def test_a_slice_elsewhere_needs_bind_and_tells_nothing_without(api: Any, server: Any) -> None:
    provider = await _shop(api)
    agents = await _consumer(api, "agents")
    await _grant(agents, "alice", ACCESS, EVERYTHING)
    alice = agents.as_user(await server.tokens.mint("alice"))
    slices = f"{APIS}/apiexportendpointslices"
    messages = set()
    for path, name in (("root:shop", "shop"), ("root:shop", "none"), ("root:nowhere", "shop")):
        body = {"metadata": {"name": "s"}, "spec": {"export": {"path": path, "name": name}}}
        code, _, message = await alice.refused("POST", slices, body)
        messages.add((code, message.replace(f"{path}:{name}", "?")))
    assert len(messages) == 1
    await _grant(provider, "alice", {"apiGroups": ["apis.kcp.io"], "resources": ["apiexports"], "verbs": ["bind"]})
    body = {"metadata": {"name": "s"}, "spec": {"export": {"path": "root:shop", "name": "shop"}}}
    made = await alice.post(slices, body)
    own = await provider.get(f"{slices}/shop")
    assert made["status"]["endpoints"] == own["status"]["endpoints"]
    assert _conditions(made) == {"APIExportValid": "True", "EndpointURLsReady": "True", "PartitionValid": "True"}


async def test_objects_stored_in_the_old_version_go_on(api: Any, server: Any, make: Any) -> None:
    """As a release without v1alpha2 left them."""
    await _shop(api, permissionClaims=[ASK])
    consumer = await _consumer(
        api, "a", _binding(permissionClaims=[{"resource": "configmaps", "all": True, "state": "Accepted"}])
    )
    storage = server.context.storage
    cluster = (await api.get(f"{WORKSPACES}/a"))["spec"]["cluster"]
    key = Key("apibindings.apis.kcp.io", cluster, "", "shop")
    record = storage.get(key)
    lowered = exportforms.convert(objects.decode(record.value), exportforms.OLD)
    await storage.commit([Put(key, objects.encoder(lowered, cluster), record.revision)])
    assert b"apis.kcp.io/v1alpha1" in storage.get(key).value[:60]
    assert (await consumer.post(WIDGETS, make.widget("w", n=1)))["spec"] == {"n": 1}
    found = await consumer.get(f"{NEXT}/apibindings/shop")
    assert found["spec"]["permissionClaims"] == [_answer(verbs=["*"], identityHash="")]
    await consumer.patch(f"{APIS}/apibindings/shop", {"metadata": {"labels": {"a": "b"}}})
    assert b"apis.kcp.io/v1alpha2" in storage.get(key).value[:60]


async def test_a_type_that_maintains_its_bindings_binds_in_workspaces_made_before(api: Any, make: Any) -> None:
    await _shop(api, permissionClaims=[ASK])
    await api.post(TYPES, {"metadata": {"name": "buyer"}, "spec": {}})
    await api.post(TYPES, {"metadata": {"name": "once"}, "spec": {}})
    for name in ("buyer", "once"):
        await api.post(WORKSPACES, {"metadata": {"name": name}, "spec": {"type": {"name": name}}})
    named = {"defaultAPIBindings": [{"path": "root:shop", "export": "shop"}]}
    await api.patch(f"{TYPES}/once", {"spec": named})
    await api.patch(f"{TYPES}/buyer", {"spec": {**named, "defaultAPIBindingLifecycle": "Maintain"}})
    buyer = api.at("root:buyer")
    path = f"{NEXT}/apibindings/shop"

    async def is_bound() -> bool:
        answer = await buyer.call("GET", path)
        return answer.status_code == 200 and not answer.json()["metadata"].get("deletionTimestamp")

    await make.eventually(is_bound, "the export is bound")
    bound = await buyer.get(path)
    assert (bound["status"]["phase"], set(_conditions(bound).values())) == ("Bound", {"True"})
    assert (await buyer.post(WIDGETS, make.widget("w", n=1)))["spec"] == {"n": 1}
    await buyer.patch(path, {"spec": {"permissionClaims": [_answer("Rejected")]}})

    async def is_answered() -> bool:
        [claim] = (await buyer.get(path))["spec"]["permissionClaims"]
        return bool(claim["state"] == "Accepted")

    await make.eventually(is_answered, "the claim is accepted again")
    await buyer.delete(path)

    async def is_new() -> bool:
        answer = await buyer.call("GET", path)
        return answer.status_code == 200 and bool(answer.json()["metadata"]["uid"] != bound["metadata"]["uid"])

    await make.eventually(is_new, "it is bound again")
    assert (await api.at("root:once").refused("GET", path))[0] == 404


async def test_a_slice_made_before_its_export_finds_it(api: Any, make: Any) -> None:
    await api.post(
        f"{APIS}/apiexportendpointslices", {"metadata": {"name": "early"}, "spec": {"export": {"name": "e"}}}
    )
    early = await api.get(f"{APIS}/apiexportendpointslices/early")
    assert _conditions(early) == {"APIExportValid": "APIExportNotFound"}
    await api.post(f"{NEXT}/apiexports", {"metadata": {"name": "e"}, "spec": {}})

    async def is_served() -> bool:
        return "endpoints" in (await api.get(f"{APIS}/apiexportendpointslices/early"))["status"]

    await make.eventually(is_served, "it says where")
    own = await api.get(f"{APIS}/apiexportendpointslices/e")
    assert (await api.get(f"{APIS}/apiexportendpointslices/early"))["status"]["endpoints"] == own["status"]["endpoints"]
