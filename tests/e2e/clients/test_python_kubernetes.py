"""The ``kubernetes`` package beyond the first steps: leader election, watches that go on, paging, access reviews."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes as kubernetes_package
import pytest

kubernetes: Any = kubernetes_package


@pytest.fixture
def connection(kubeconfig: Path) -> Iterator[Any]:
    with kubernetes.config.new_client_from_config(str(kubeconfig)) as client:
        yield client


@pytest.fixture
def core(connection: Any) -> Any:
    return kubernetes.client.CoreV1Api(connection)


def _config(name: str, **labels: str) -> Any:
    return kubernetes.client.V1ConfigMap(metadata=kubernetes.client.V1ObjectMeta(name=name, labels=labels))


def test_lists_in_pages(core: Any) -> None:
    for number in range(5):
        core.create_namespaced_config_map("default", _config(f"page-{number}", set="page"))
    names, token = [], None
    while True:
        page = core.list_namespaced_config_map("default", label_selector="set=page", limit=2, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert names == [f"page-{number}" for number in range(5)]
    gone = core.delete_collection_namespaced_config_map("default", label_selector="set=page")
    assert gone.kind in ("Status", "ConfigMapList")
    assert core.list_namespaced_config_map("default", label_selector="set=page").items == []


def test_a_watch_goes_on_from_its_revision(core: Any) -> None:
    start = core.list_namespaced_config_map("default").metadata.resource_version
    core.create_namespaced_config_map("default", _config("w1", set="watch"))
    core.patch_namespaced_config_map("w1", "default", {"data": {"x": "1"}})
    core.delete_namespaced_config_map("w1", "default")
    watch = kubernetes.watch.Watch()
    seen = []
    for event in watch.stream(
        core.list_namespaced_config_map,
        "default",
        label_selector="set=watch",
        resource_version=start,
        timeout_seconds=30,
    ):
        seen.append(event["type"])
        if event["type"] == "DELETED":
            watch.stop()
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


def test_typed_rbac_and_reviews(connection: Any) -> None:
    rbac, client = kubernetes.client.RbacAuthorizationV1Api(connection), kubernetes.client
    rule = client.V1PolicyRule(api_groups=[""], resources=["configmaps"], verbs=["get"])
    rbac.create_namespaced_role("default", client.V1Role(metadata=client.V1ObjectMeta(name="typed"), rules=[rule]))
    assert rbac.read_namespaced_role("typed", "default").rules[0].verbs == ["get"]
    asked = client.V1ResourceAttributes(verb="get", resource="configmaps", namespace="default")
    body = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=asked))
    answer = client.AuthorizationV1Api(connection).create_self_subject_access_review(body)
    assert answer.status.allowed is True
    rbac.delete_namespaced_role("typed", "default")


def test_custom_objects(connection: Any) -> None:
    custom = kubernetes.client.CustomObjectsApi(connection)
    listed = custom.list_cluster_custom_object("tenancy.kcp.io", "v1alpha1", "workspaces")
    assert listed["kind"] == "WorkspaceList"


def test_versions_and_groups(connection: Any) -> None:
    assert kubernetes.client.VersionApi(connection).get_code().major == "1"
    groups = {group.name for group in kubernetes.client.ApisApi(connection).get_api_versions().groups}
    assert {"rbac.authorization.k8s.io", "apiextensions.k8s.io"} <= groups
    assert kubernetes.client.CoreApi(connection).get_api_versions().versions == ["v1"]


def test_leader_election_by_lease(connection: Any, monkeypatch: pytest.MonkeyPatch, kubeconfig: Path) -> None:
    module = importlib.import_module
    electionconfig: Any = module("kubernetes.leaderelection.electionconfig")
    leaderelection: Any = module("kubernetes.leaderelection.leaderelection")
    lock: Any = module("kubernetes.leaderelection.resourcelock.configmaplock").ConfigMapLock
    kubernetes.config.load_kube_config(str(kubeconfig))
    leading, over = threading.Event(), threading.Event()

    def lead() -> None:
        leading.set()
        over.wait(20)

    config = electionconfig.Config(
        lock("election", "default", "me"), lease_duration=5, renew_deadline=4, retry_period=1,
        onstarted_leading=lead, onstopped_leading=None,
    )  # fmt: skip
    election = leaderelection.LeaderElection(config)
    acquired = election.acquire()
    assert acquired
    core = kubernetes.client.CoreV1Api(connection)
    annotations = core.read_namespaced_config_map("election", "default").metadata.annotations
    assert '"holderIdentity": "me"' in annotations["control-plane.alpha.kubernetes.io/leader"]
    assert election.try_acquire_or_renew()
    other = leaderelection.LeaderElection(
        electionconfig.Config(
            lock("election", "default", "you"),
            lease_duration=5,
            renew_deadline=4,
            retry_period=1,
            onstarted_leading=lead,
            onstopped_leading=None,
        )
    )
    assert not other.try_acquire_or_renew()
    assert other.try_acquire_or_renew() is False
    over.set()


def test_the_dynamic_client_patches_and_watches(connection: Any, tmp_path: Path) -> None:
    client = kubernetes.dynamic.DynamicClient(connection, cache_file=str(tmp_path / "discovery"))
    configs = client.resources.get(api_version="v1", kind="ConfigMap")
    body = {"metadata": {"name": "dyn", "labels": {"set": "dyn"}}, "data": {"x": "1"}}
    configs.create(body=body, namespace="default")
    patch = [{"op": "replace", "path": "/data/x", "value": "2"}]
    patched = configs.patch(name="dyn", namespace="default", body=patch, content_type="application/json-patch+json")
    assert patched.data.x == "2"
    for event in configs.watch(namespace="default", label_selector="set=dyn", timeout=30):
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "dyn")
        break
    configs.delete(name="dyn", namespace="default")
    with pytest.raises(kubernetes.dynamic.exceptions.NotFoundError):
        configs.get(name="dyn", namespace="default")


def test_kr8s_in_its_synchronous_form(kubeconfig: Path) -> None:
    import kr8s as kr8s_package
    from kr8s.objects import ConfigMap as config_map_class

    kr8s: Any = kr8s_package
    made: Any = config_map_class
    api = kr8s.api(kubeconfig=str(kubeconfig))
    one = made(
        {"metadata": {"name": "sync", "namespace": "default", "labels": {"set": "sync"}}, "data": {"x": "1"}}, api=api
    )
    one.create()
    one.label({"more": "yes"})
    one.annotate({"note": "hi"})
    one.refresh()
    assert (one.labels.more, one.annotations.note) == ("yes", "hi")
    assert [found.name for found in api.get("configmaps", namespace="default", label_selector="set=sync")] == ["sync"]
    one.patch({"data": {"x": "2"}})
    assert one.data.x == "2"
    one.delete()
    one.wait(["delete"], timeout=30)
    assert not one.exists()
