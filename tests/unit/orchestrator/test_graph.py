from __future__ import annotations

from typing import Any

import pytest

from portway.orchestrator import graph, score
from portway.orchestrator.graph import GraphError, Identity


def workload(name: str, resources: dict[str, Any]) -> score.Workload:
    parsed = score.parse(
        {
            "apiVersion": "score.dev/v1b1",
            "metadata": {"name": name},
            "containers": {"main": {"image": "."}},
            "resources": resources,
        }
    )
    assert parsed.workload is not None, parsed.problems
    return parsed.workload


def test_each_resource_comes_after_all_it_needs() -> None:
    made = graph.build(
        [
            workload(
                "web", {"route": {"type": "route", "params": {"host": "${resources.dns.host}"}}, "dns": {"type": "dns"}}
            )
        ]
    )

    assert [node.identity for node in made.nodes] == [
        Identity("dns", "default", "workloads.web.dns"),
        Identity("route", "default", "workloads.web.route"),
    ]


def test_workloads_share_what_they_name_by_the_same_id() -> None:
    shared = {"cache": {"type": "redis", "id": "main-cache"}}

    made = graph.build([workload("one", shared), workload("two", shared)])

    assert [(n.identity.id, n.shared, n.asked_by) for n in made.nodes] == [
        ("main-cache", True, (("one", "cache"), ("two", "cache")))
    ]


@pytest.mark.parametrize(
    ("reason", "workloads", "message"),
    [
        (
            "different params",
            [
                workload("one", {"aa": {"type": "redis", "id": "main", "params": {"size": 1}}}),
                workload("two", {"bb": {"type": "redis", "id": "main", "params": {"size": 2}}}),
            ],
            "one.aa and two.bb share the resource redis.default#main but give it different params",
        ),
        (
            "a cycle, with its path",
            [
                workload(
                    "web",
                    {
                        "aa": {"type": "dns", "params": {"x": "${resources.bb.x}"}},
                        "bb": {"type": "dns", "params": {"x": "${resources.aa.x}"}},
                    },
                )
            ],
            "in a circle: web.aa → web.bb → web.aa",
        ),
        (
            "an unknown alias",
            [workload("web", {"aa": {"type": "dns", "params": {"x": "${resources.zz.x}"}}})],
            "resources.aa.params refers to resources.zz, which there is not; there are aa",
        ),
    ],
)
def test_contradictions_are_refused_with_names(reason: str, workloads: list[score.Workload], message: str) -> None:
    with pytest.raises(GraphError) as caught:
        graph.build(workloads)

    assert message in str(caught.value)
