from typing import Any

import pytest

from portway.krm.builtins.cells import CELLS

SUBJECTS = [
    {"kind": "User", "name": "ann"},
    {"kind": "Group", "name": "dev"},
    {"kind": "User", "name": "bob"},
    {"kind": "ServiceAccount", "name": "bot", "namespace": "team"},
]
QUOTA = {"status": {"hard": {"limits.cpu": "2", "pods": "3", "configmaps": "5"}, "used": {"pods": "1"}}}
SERVICE = {
    "spec": {
        "clusterIP": "10.0.0.1",
        "ports": [{"port": 443, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
        "selector": {"b": "2", "a": "1"},
        "externalIPs": ["1.1.1.1"],
    }
}
OLD_EVENT = {
    "involvedObject": {"kind": "ConfigMap", "name": "one"},
    "message": " done \n",
    "source": {"component": "claims", "host": "here"},
    "firstTimestamp": "2026-01-01T00:00:00Z",
    "lastTimestamp": "2026-01-02T00:00:00Z",
    "count": 3,
}
NEW_EVENT = {
    "regarding": {"kind": "ConfigMap", "name": "one"},
    "note": "done",
    "reportingController": "claims",
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "series": {"count": 7, "lastObservedTime": "2026-01-03T00:00:00.000000Z"},
}


@pytest.mark.parametrize(
    ("name", "manifest", "cell"),
    [
        ("data_count", {"data": {"a": "1"}, "binaryData": {"b": "", "c": ""}}, "3"),
        ("data_count", {}, "0"),
        ("secrets_count", {"secrets": [{"name": "a"}]}, "1"),
        ("event_object", OLD_EVENT, "configmap/one"),
        ("event_object", NEW_EVENT, "configmap/one"),
        ("event_message", OLD_EVENT, "done"),
        ("event_message", NEW_EVENT, "done"),
        ("event_source", OLD_EVENT, "claims, here"),
        ("event_source", NEW_EVENT, "claims"),
        ("first_seen", OLD_EVENT, "2026-01-01T00:00:00Z"),
        ("last_seen", OLD_EVENT, "2026-01-02T00:00:00Z"),
        ("last_seen", NEW_EVENT, "2026-01-03T00:00:00.000000Z"),
        ("last_seen", {}, None),
        ("event_count", OLD_EVENT, "3"),
        ("event_count", NEW_EVENT, "7"),
        ("event_count", {}, "1"),
        ("quota_requests", QUOTA, "configmaps: 0/5, pods: 1/3"),
        ("quota_limits", QUOTA, "limits.cpu: 0/2"),
        ("role_ref", {"roleRef": {"kind": "Role", "name": "r"}}, "Role/r"),
        ("subject_users", {"subjects": SUBJECTS}, "ann, bob"),
        ("subject_groups", {"subjects": SUBJECTS}, "dev"),
        ("subject_accounts", {"subjects": SUBJECTS}, "team/bot"),
        ("cluster_ip", SERVICE, "10.0.0.1"),
        ("external_ip", SERVICE, "1.1.1.1"),
        ("external_ip", {}, "<none>"),
        ("service_ports", SERVICE, "443/TCP,53/UDP"),
        ("service_selector", SERVICE, "a=1,b=2"),
        ("service_selector", {}, "<none>"),
        ("webhook_count", {"webhooks": [{}]}, "1"),
        ("validation_count", {"spec": {"validations": [{}, {}]}}, "2"),
        ("param_kind", {"spec": {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}}, "v1/ConfigMap"),
        ("param_kind", {}, "<unset>"),
        ("param_ref", {"spec": {"paramRef": {"name": "p", "namespace": "n"}}}, "n/p"),
        ("param_ref", {"spec": {"paramRef": {"selector": {"matchLabels": {"a": "b"}}}}}, "a=b"),
        ("param_ref", {}, "<unset>"),
    ],
)
def test_a_cell_shows_what_kubectl_shows(name: str, manifest: dict[str, Any], cell: str | None) -> None:
    assert CELLS[name](manifest) == cell
