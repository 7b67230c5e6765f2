"""Quotas on numbers of objects, exact whoever else creates at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

QUOTAS = "/api/v1/namespaces/default/resourcequotas"
CONFIGS = "/api/v1/namespaces/default/configmaps"


def quota(**hard: str) -> Any:
    named = {name.replace("__", "/").replace("_", "."): value for name, value in hard.items()}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": named}}


async def test_a_quota_counts_from_the_start(api: Any) -> None:
    """kube-root-ca.crt is there already."""
    created = await api.post(QUOTAS, quota(count__configmaps="3", secrets="1", cpu="2"))
    assert created["status"] == {
        "hard": {"count/configmaps": "3", "secrets": "1", "cpu": "2"},
        "used": {"count/configmaps": "1", "secrets": "0", "cpu": "0"},
    }


async def test_creations_stop_at_the_limit_and_deletions_make_room(api: Any, make: Any) -> None:
    await api.post(QUOTAS, quota(count__configmaps="2"))
    await api.post(CONFIGS, make.config("a"))
    assert (await api.get(f"{QUOTAS}/q"))["status"]["used"] == {"count/configmaps": "2"}
    assert await api.refused("POST", CONFIGS, make.config("b")) == (
        403,
        "Forbidden",
        'configmaps "b" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=2, '
        "limited: count/configmaps=2",
    )
    assert (await api.refused("POST", CONFIGS, make.config("b"), dryRun="All"))[0] == 403
    await api.delete(f"{CONFIGS}/a")

    async def seen() -> bool:
        return bool((await api.get(f"{QUOTAS}/q"))["status"]["used"] == {"count/configmaps": "1"})

    await make.eventually(seen, "the deletion is counted")
    await api.post(CONFIGS, make.config("b"))


async def test_custom_resources_are_counted(api: Any, make: Any) -> None:
    await api.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", make.definition({}))
    await api.post(QUOTAS, quota(count__widgets_example_org="1"))
    await api.post(make.widgets, make.widget("a"))
    assert (
        "exceeded quota: q, requested: count/widgets.example.org=1"
        in (await api.refused("POST", make.widgets, make.widget("b")))[2]
    )


async def test_forty_at_once_get_exactly_the_places_there_are(api: Any, make: Any) -> None:
    await api.post(QUOTAS, quota(configmaps="11"))
    answers = await asyncio.gather(*(api.call("POST", CONFIGS, make.config(f"c{n}")) for n in range(40)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [403] * 30
    assert (await api.get(f"{QUOTAS}/q"))["status"]["used"] == {"configmaps": "11"}


@pytest.mark.parametrize(
    ("value", "message"),
    [("-1", "must be greater than or equal to 0"), ("1.5", "must be an integer"), ("x", "is not a quantity")],
)
async def test_bad_limits_are_refused(api: Any, value: str, message: str) -> None:
    assert message in (await api.refused("POST", QUOTAS, quota(configmaps=value)))[2]


async def test_a_workspace_holds_no_more_objects_than_it_may(api: Any, make: Any) -> None:
    body = {"apiVersion": "tenancy.kcp.io/v1alpha1", "kind": "Workspace", "metadata": {"name": "small"}, "spec": {}}
    await api.post("/apis/tenancy.kcp.io/v1alpha1/workspaces", body)
    there = api.at("root:small")
    cluster = "/apis/core.kcp.io/v1alpha1/logicalclusters/cluster"
    await there.patch(cluster, {"metadata": {"annotations": {"portway.dev/max-objects": "1"}}})
    code, reason, message = await there.refused("POST", CONFIGS, make.config("a"))
    assert (code, reason) == (403, "Forbidden")
    assert 'workspace "root:small" holds ' in message
    await there.patch(cluster, {"metadata": {"annotations": {"portway.dev/max-objects": "1000"}}})
    await there.post(CONFIGS, make.config("a"))
