"""Whatever is asked for, the node agent understands it or refuses it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from portway.drivers.contract import Refused
from portway.drivers.process import specs

FIELDS = """
containers ports source grace_seconds main image command args variables files volumes resources limits memory cpu
readinessProbe livenessProbe httpGet exec port path before ready target targetPort content binaryContent mode parts
secret revision httpHeaders
""".split()  # noqa: SIM905 - a list of so many words is shorter so
LEAVES = (
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8) | some.sampled_from(FIELDS)
)
ANYTHING = some.recursive(
    LEAVES,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)
CONTAINERS = some.dictionaries(some.sampled_from(FIELDS), ANYTHING, max_size=6).map(
    lambda container: {"command": ["x"], **container, "image": "."}
)


@given(some.dictionaries(some.sampled_from(FIELDS), ANYTHING, max_size=4), CONTAINERS)
def test_inputs_are_parsed_or_refused(inputs: dict[str, Any], container: dict[str, Any]) -> None:
    for asked in (inputs, {**inputs, "containers": {"main": container}}):
        with suppress(Refused):
            specs.parse(asked)


@given(some.dictionaries(some.sampled_from(["target", "mode", "content", "binaryContent", "source", "path"]), LEAVES))
def test_files_and_volumes_are_parsed_or_refused(one: dict[str, Any]) -> None:
    for place in ("files", "volumes"):
        with suppress(Refused):
            specs.parse({"containers": {"main": {"command": ["x"], place: [one]}}})


@given(LEAVES, LEAVES)
def test_ports_are_parsed_or_refused(port: Any, target: Any) -> None:
    with suppress(Refused):
        specs.parse(
            {"containers": {"main": {"command": ["x"]}}, "ports": {"web": {"port": port, "targetPort": target}}}
        )
