"""Clients that others wrote: the ``kubernetes`` package (typed and dynamic) and ``kr8s``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kr8s as kr8s_package
import kubernetes as kubernetes_package
import pytest

kr8s: Any = kr8s_package
kubernetes: Any = kubernetes_package


@pytest.fixture
def connection(kubeconfig: Path) -> Iterator[Any]:
    with kubernetes.config.new_client_from_config(str(kubeconfig)) as client:
        yield client


@pytest.fixture
def core(connection: Any, request: pytest.FixtureRequest) -> Any:
    return kubernetes.client.CoreV1Api(connection)


def _config(name: str, **data: str) -> Any:
    return kubernetes.client.V1ConfigMap(metadata=kubernetes.client.V1ObjectMeta(name=name), data=data)


def test_typed_objects_go_there_and_back(core: Any) -> None:
    created = core.create_namespaced_config_map("default", _config("typed", x="1"))
    assert created.kind == "ConfigMap"
    core.patch_namespaced_config_map("typed", "default", {"data": {"y": "2"}})
    assert core.read_namespaced_config_map("typed", "default").data == {"x": "1", "y": "2"}
    assert core.delete_namespaced_config_map("typed", "default")["status"] == "Success"
    with pytest.raises(kubernetes.client.ApiException) as gone:
        core.read_namespaced_config_map("typed", "default")
    assert gone.value.status == 404


def test_a_watch_without_revision_tells_what_is_there_and_what_comes(core: Any) -> None:
    core.create_namespaced_config_map("default", _config("first"))
    watch = kubernetes.watch.Watch()
    selector = "metadata.name=second"
    later = threading.Timer(0.1, lambda: core.create_namespaced_config_map("default", _config("second")))
    later.start()
    try:
        events = watch.stream(core.list_namespaced_config_map, "default", field_selector=selector, timeout_seconds=30)
        event = next(events)
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "second")
    finally:
        watch.stop()
        later.join()


def test_the_dynamic_client_finds_kinds_by_discovery(connection: Any, tmp_path: Path) -> None:
    client = kubernetes.dynamic.DynamicClient(connection, cache_file=str(tmp_path / "discovery"))
    workspaces = client.resources.get(api_version="tenancy.kcp.io/v1alpha1", kind="Workspace")
    created = workspaces.create({"metadata": {"name": "dynamic"}, "spec": {"type": {"name": "team"}}})
    assert created.status.phase == "Ready"
    configs = client.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"x": "1"}}
    applied = client.server_side_apply(
        configs, body=body, name="applied", namespace="default", field_manager="test", force_conflicts=True
    )
    assert applied.metadata.managedFields[0].operation == "Apply"


async def test_kr8s(kubeconfig: Path) -> None:
    api = await kr8s.asyncio.api(kubeconfig=str(kubeconfig))
    assert (await api.version())["major"] == "1"
    config = await kr8s.asyncio.objects.ConfigMap(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kr8s", "namespace": "default"}}, api=api
    )
    await config.create()
    await config.patch({"data": {"x": "1"}})
    [found] = [one async for one in api.get("configmaps", "kr8s", namespace="default")]
    assert found.data == {"x": "1"}
    await config.delete()
    assert not await config.exists()
