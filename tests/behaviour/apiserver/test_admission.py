"""Steps that bootstrap adds to admission, and the marks the server leaves."""

from __future__ import annotations

from typing import Any

from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.krm.errors import StatusError

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class Planner:
    """Answers a dry run with a plan, and refuses size xl."""

    def __init__(self) -> None:
        self.seen: list[tuple[Operation, str, bool]] = []

    async def admit(self, request: AdmissionRequest) -> None:
        if request.resource.served.gvk.kind != "Widget":
            return
        self.seen.append((request.operation, request.name, request.dry_run))
        if request.object is None:
            return
        if request.object["spec"].get("size") == "xl":
            raise StatusError(422, "Invalid", "no definition makes xl")
        if request.dry_run:
            request.object["status"] = {"plan": ["create"]}
            request.warnings.append("this would cost 3 a month")


async def test_a_dry_run_can_carry_a_plan(api: Any, server: Any, make: Any) -> None:
    planner = Planner()
    server.plan_admissions.append(planner)
    await api.post(CRDS, make.definition({"size": {"type": "string"}}, subresources={"status": {}}))
    answer = await api.call("POST", make.widgets, make.widget("a", size="m"), dryRun="All")
    assert answer.json()["status"] == {"plan": ["create"]}
    assert answer.headers["warning"] == '299 - "this would cost 3 a month"'
    assert "status" not in await api.post(make.widgets, make.widget("a", size="m"))
    assert (await api.refused("POST", make.widgets, make.widget("b", size="xl")))[2] == "no definition makes xl"
    await api.delete(f"{make.widgets}/a")
    assert planner.seen == [
        (Operation.CREATE, "a", True),
        (Operation.CREATE, "a", False),
        (Operation.CREATE, "b", False),
        (Operation.DELETE, "a", False),
    ]


async def test_who_asked_for_an_object_cannot_be_forged(api: Any, server: Any, make: Any) -> None:
    crd = make.definition({})
    crd["metadata"]["name"] = "widgets.shop.portway.dev"
    crd["spec"]["group"] = "shop.portway.dev"
    await api.post(CRDS, crd)
    subject = {"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    body = {"metadata": {"name": "alice"}, "subjects": [subject], "roleRef": ref}
    await api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", body)
    alice = api.as_user(await server.tokens.mint("alice"))
    widgets = "/apis/shop.portway.dev/v1/namespaces/default/widgets"
    forged = {"metadata": {"name": "a", "annotations": {"portway.dev/requested-by": "bob"}}}
    created = await alice.post(widgets, forged)
    assert created["metadata"]["annotations"]["portway.dev/requested-by"] == "alice"
    changed = await alice.patch(f"{widgets}/a", {"metadata": {"annotations": {"portway.dev/requested-by": "bob"}}})
    assert changed["metadata"]["annotations"]["portway.dev/requested-by"] == "alice"
    taken = await api.patch(f"{widgets}/a", {"metadata": {"annotations": {"portway.dev/requested-by": "bob"}}})
    assert taken["metadata"]["annotations"]["portway.dev/requested-by"] == "bob"
