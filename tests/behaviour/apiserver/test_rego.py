"""Policies in Rego beside those in CEL."""

from __future__ import annotations

from typing import Any

import pytest

from portway.apis import installing
from portway.apiserver.admission.policies.rego import RegoFailed, Worker

POLICIES = "/apis/platform.portway.dev/v1alpha1/policies"
CONFIGS = "/api/v1/namespaces/default/configmaps"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
OWNED = """package owned
import rego.v1

deny contains message if {
    not input.request.object.metadata.labels.owner
    message := sprintf("%s has no owner", [input.request.object.metadata.name])
}
"""


def policy(rego: str = OWNED, **spec: Any) -> Any:
    body = {"match": {"resourceRules": [RULE]}, "rego": rego, **spec}
    return {
        "apiVersion": "platform.portway.dev/v1alpha1",
        "kind": "Policy",
        "metadata": {"name": "owned"},
        "spec": body,
    }


@pytest.fixture
async def platform(api: Any) -> Any:
    """The API with Portway's own kinds installed, as bootstrap does."""
    schemas = installing.api_resource_schemas()
    for manifest in (*schemas, installing.api_export(schemas)):
        plural = "apiexports" if manifest["kind"] == "APIExport" else "apiresourceschemas"
        await api.post(f"/apis/apis.kcp.io/v1alpha1/{plural}", manifest)
    return api


async def test_a_rego_policy_denies_with_its_messages(platform: Any, make: Any) -> None:
    await platform.post(POLICIES, policy())
    assert await platform.refused("POST", CONFIGS, make.config("a")) == (
        403,
        "Forbidden",
        "configmaps \"a\" is forbidden: Policy 'owned' denied request: a has no owner",
    )
    body = make.config("a")
    body["metadata"]["labels"] = {"owner": "x"}
    await platform.post(CONFIGS, body)


async def test_a_rego_policy_may_only_warn(platform: Any, make: Any) -> None:
    await platform.post(POLICIES, policy(actions=["Warn"]))
    answer = await platform.call("POST", CONFIGS, make.config("a"))
    assert answer.status_code == 201
    assert "Policy 'owned': a has no owner" in answer.headers["warning"]


@pytest.mark.parametrize(
    ("rego", "message"),
    [
        ("package p\ndeny contains m if { m := 1 }", "it has to say `import rego.v1`"),
        ("package p\nimport rego.v1\ndeny[m] { m := 1 }", "is older Rego"),
        ("package p\nimport rego.v1\ndeny contains m if { m := http.send({}) }", "http.send is not available"),
        ("import rego.v1\ndeny contains 1 if true", "it has to begin with a package"),
        ("package p\nimport rego.v1\nallow := true", "it has to define `deny`"),
        ("package p\nimport rego.v1\ndeny contains m if { m := ", "spec.rego: Invalid value"),
    ],
)
async def test_bad_modules_are_refused(platform: Any, rego: str, message: str) -> None:
    assert message in (await platform.refused("POST", POLICIES, policy(rego)))[2]


async def test_an_evaluation_that_takes_too_long_is_ended_and_the_next_one_works() -> None:
    slow = """package p
import rego.v1
deny contains x if {
    some a in numbers.range(1, 3000)
    some b in numbers.range(1, 3000)
    some c in numbers.range(1, 3000)
    x := a * b * c
    x < 0
}
"""
    worker = Worker(0.5)
    try:
        assert await worker.evaluate(OWNED, "data.owned.deny", {"request": {}}) is not None
        with pytest.raises(RegoFailed, match="it took longer than"):
            await worker.evaluate(slow, "data.p.deny", {})
        given = {"request": {"object": {"metadata": {"name": "n"}}}}
        assert await worker.evaluate(OWNED, "data.owned.deny", given) == ["n has no owner"]
    finally:
        await worker.close()
