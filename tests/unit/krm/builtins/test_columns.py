from datetime import UTC, datetime
from typing import Any

import pytest

from portway.krm import tables
from portway.krm.builtins import catalogue

NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)
META = {"name": "one", "creationTimestamp": "2026-01-01T00:00:00Z"}
EVENT = {
    "metadata": META,
    "type": "Normal",
    "reason": "Provisioned",
    "message": "done",
    "lastTimestamp": "2026-01-01T00:30:00Z",
    "involvedObject": {"kind": "Postgres", "name": "db"},
}


def shown(kind: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """What ``kubectl get`` shows without -o wide."""
    served = next(k for k in catalogue.KINDS if k.gvk.kind == kind)
    table = tables.render(served, [manifest], now=NOW)
    cells = zip(table["columnDefinitions"], table["rows"][0]["cells"], strict=True)
    return {column["name"]: cell for column, cell in cells if column["priority"] == 0}


@pytest.mark.parametrize(
    ("kind", "manifest", "row"),
    [
        ("ConfigMap", {"metadata": META, "data": {"a": "1"}}, {"Name": "one", "Data": "1", "Age": "60m"}),
        (
            "Secret",
            {"metadata": META, "type": "Opaque"},
            {"Name": "one", "Type": "Opaque", "Data": "0", "Age": "60m"},
        ),
        (
            "Namespace",
            {"metadata": META, "status": {"phase": "Active"}},
            {"Name": "one", "Status": "Active", "Age": "60m"},
        ),
        (
            "Event",
            EVENT,
            {
                "Last Seen": "30m",
                "Type": "Normal",
                "Reason": "Provisioned",
                "Object": "postgres/db",
                "Message": "done",
            },
        ),
        ("Role", {"metadata": META}, {"Name": "one", "Created At": "2026-01-01T00:00:00Z"}),
        (
            "RoleBinding",
            {"metadata": META, "roleRef": {"kind": "ClusterRole", "name": "admin"}},
            {"Name": "one", "Role": "ClusterRole/admin", "Age": "60m"},
        ),
        (
            "Workspace",
            {"metadata": META, "spec": {"type": {"name": "team"}, "URL": "https://x"}, "status": {"phase": "Ready"}},
            {"Name": "one", "Type": "team", "Phase": "Ready", "URL": "https://x", "Age": "60m"},
        ),
        ("APIResourceSchema", {"metadata": META}, {"Name": "one", "Age": "60m"}),
    ],
)
def test_a_kind_shows_the_columns_people_know(kind: str, manifest: dict[str, Any], row: dict[str, Any]) -> None:
    assert shown(kind, manifest) == row
