"""Every field of Score, both written forms, and what is said about mistakes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ryaml import loads as read  # type: ignore[attr-defined]  # its package lists no exports

from portway.orchestrator import score
from portway.orchestrator.score.models import (
    Amounts,
    Container,
    File,
    HttpGet,
    Port,
    Probe,
    Ready,
    Resource,
    Volume,
    Workload,
)

CORPUS = Path(os.environ.get("PORTWAY_CORPUS", Path(__file__).parents[4] / "shared" / "corpus")) / "score"


def document(**changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "web"},
        "containers": {"main": {"image": "."}},
    }
    return {**value, **changes}


def test_every_field_is_read() -> None:
    parsed = score.parse(
        {
            "apiVersion": "score.dev/v1b1",
            "metadata": {"name": "web", "annotations": {"example.com/owner": "me"}, "extra": 1},
            "service": {"ports": {"www": {"port": 80, "targetPort": 8080}, "dns": {"port": 53, "protocol": "UDP"}}},
            "containers": {
                "main": {
                    "image": "img",
                    "command": ["run"],
                    "args": ["-v"],
                    "variables": {"A": "b"},
                    "files": [
                        {"target": "/a", "content": "x", "mode": "0644", "noExpand": True},
                        {"target": "/b", "source": "b.txt"},
                    ],
                    "volumes": {"/data": {"source": "${resources.data}", "path": "sub", "readOnly": True}},
                    "resources": {"limits": {"memory": "1Gi", "cpu": "2"}, "requests": {"cpu": "125m"}},
                    "livenessProbe": {"exec": {"command": ["true"]}},
                    "readinessProbe": {
                        "httpGet": {
                            "port": 80,
                            "path": "/ready",
                            "host": "h",
                            "scheme": "HTTPS",
                            "httpHeaders": [{"name": "X-A", "value": "1"}],
                        }
                    },
                    "before": {"side": {"ready": "healthy"}},
                },
                "side": {
                    "image": ".",
                    "files": {"/c": {"binaryContent": "aGk="}},
                    "volumes": [{"source": "s", "target": "/t"}],
                },
            },
            "resources": {
                "data": {"type": "volume"},
                "db": {"type": "postgres", "class": "large", "id": "a.b-c", "metadata": {"x": 1}, "params": {"y": [2]}},
            },
        }
    )

    assert parsed == score.Parsed(
        Workload(
            name="web",
            metadata={"name": "web", "annotations": {"example.com/owner": "me"}, "extra": 1},
            containers=(
                Container(
                    name="main",
                    image="img",
                    command=("run",),
                    args=("-v",),
                    variables={"A": "b"},
                    files=(File("/a", "0644", content="x", no_expand=True), File("/b", source="b.txt")),
                    volumes=(Volume("/data", "${resources.data}", "sub", True),),
                    limits=Amounts("1Gi", "2"),
                    requests=Amounts("", "125m"),
                    liveness=Probe(exec=("true",)),
                    readiness=Probe(HttpGet(80, "/ready", "h", "HTTPS", (("X-A", "1"),))),
                    before={"side": Ready.HEALTHY},
                ),
                Container("side", ".", files=(File("/c", binary_content="aGk="),), volumes=(Volume("/t", "s"),)),
            ),
            ports=(Port("www", 80, "TCP", 8080), Port("dns", 53, "UDP", 53)),
            resources=(
                Resource("data", "volume"),
                Resource("db", "postgres", "large", "a.b-c", {"x": 1}, {"y": [2]}),
            ),
        )
    )


@pytest.mark.parametrize(
    ("reason", "value", "says"),
    [
        ("nothing", None, "the document is empty; expected a Score file"),
        ("a list", [], "is a list; expected a mapping"),
        (
            "another version",
            document(apiVersion="score.dev/v2"),
            "apiVersion: is 'score.dev/v2'; expected score.dev/v1b1",
        ),
        ("no name", document(metadata={}), "metadata: required field name is missing"),
        ("a bad name", document(metadata={"name": "Web"}), "metadata.name: 'Web' is not allowed; expected 2 to 63"),
        ("an unknown key", document(services={}), "services: unknown field; expected one of apiVersion, containers"),
        ("no containers", document(containers={}), "containers: is empty; expected at least one container"),
        ("no image", document(containers={"main": {}}), "containers.main: required field image is missing"),
        (
            "an empty image",
            document(containers={"main": {"image": ""}}),
            "containers.main.image: is an empty string; expected a string that is not empty",
        ),
        (
            "null variables",
            document(containers={"main": {"image": ".", "variables": None}}),
            "containers.main.variables: is empty (null); expected a mapping",
        ),
        (
            "an unquoted number",
            document(containers={"main": {"image": ".", "variables": {"PORT": 8080}}}),
            "containers.main.variables.PORT: is an integer; expected a string (write it in quotes: '8080')",
        ),
        (
            "two contents of one file",
            document(containers={"main": {"image": ".", "files": [{"target": "/a", "content": "", "source": "b"}]}}),
            "containers.main.files[0]: has source and content; expected exactly one of",
        ),
        (
            "target inside a map",
            document(containers={"main": {"image": ".", "files": {"/a": {"target": "/a", "content": ""}}}}),
            "containers.main.files./a.target: unknown field",
        ),
        (
            "a probe of both kinds",
            document(
                containers={
                    "main": {
                        "image": ".",
                        "livenessProbe": {"exec": {"command": []}, "httpGet": {"port": 80, "path": "/"}},
                    }
                }
            ),
            "containers.main.livenessProbe: has exec and httpGet; expected exactly one of httpGet and exec",
        ),
        (
            "before an unknown container",
            document(containers={"main": {"image": ".", "before": {"other": {"ready": "started"}}}}),
            "containers.main.before.other: there is no container other; expected one of main",
        ),
        (
            "an unknown readiness",
            document(containers={"main": {"image": ".", "before": {"main": {"ready": "soon"}}}}),
            "containers.main.before.main.ready: is 'soon'; expected started or healthy or complete",
        ),
        ("a port too high", document(service={"ports": {"www": {"port": 70000}}}), "service.ports.www.port: is 70000"),
        (
            "a port that is a flag",
            document(service={"ports": {"www": {"port": True}}}),
            "is a boolean; expected an integer",
        ),
        ("a resource without type", document(resources={"db": {}}), "resources.db: required field type is missing"),
        (
            "a bad id",
            document(resources={"db": {"type": "postgres", "id": "A..b"}}),
            "resources.db.id: 'A..b' is not allowed",
        ),
        (
            "memory in a wrong unit",
            document(containers={"main": {"image": ".", "resources": {"limits": {"memory": "1GB"}}}}),
            "containers.main.resources.limits.memory: '1GB' is not allowed; expected bytes with an optional unit",
        ),
    ],
)
def test_a_mistake_is_refused_at_its_path_with_what_was_expected(reason: str, value: Any, says: str) -> None:
    parsed = score.parse(value)

    assert parsed.workload is None
    assert any(says in str(problem) for problem in parsed.problems), [str(p) for p in parsed.problems]


INVALID = {
    "Nilsty__list-env-vars__score.yaml": ["containers.list-env-vars.image"],
    "SadanChandra99__convera_service_api__score.yaml": ["containers.convera-dashboard-api.variables"],
    "score-spec__score-compose__examples-07-overrides-overrides.compose.yaml": ["services", "", "", ""],
}


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus of real files at {CORPUS}; set PORTWAY_CORPUS")
def test_real_files_are_accepted_or_refused_as_their_index_says() -> None:
    verdicts = {path.name: score.parse(read(path.read_text())) for path in sorted(CORPUS.glob("*.yaml"))}

    refused = {name: [p.field for p in parsed.problems] for name, parsed in verdicts.items() if parsed.problems}
    assert refused == INVALID
    assert len(verdicts) > 20
