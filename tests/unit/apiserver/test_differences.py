from __future__ import annotations

from typing import Any

import pytest

from portway.apiserver.differences import HIDDEN, Difference, between


def state(**parts: Any) -> dict[str, Any]:
    return {"kind": "Thing", "metadata": {"name": "x", "resourceVersion": "1"}, **parts}


CONTAINERS = [{"name": "web", "image": "a:1"}, {"name": "log", "image": "b:1"}]


@pytest.mark.parametrize(
    ("was", "now", "expected", "reason"),
    [
        (state(spec={"a": 1}), state(spec={"a": 1}), [], "nothing differs"),
        (state(spec={"a": 1}), state(spec={"a": 2}), [Difference("spec.a", 1, 2)], "a value"),
        (state(spec={"a": 1}), state(spec={"b": 2}), [Difference("spec.a", 1, None), Difference("spec.b", None, 2)],
         "a field goes, another comes"),
        (state(spec={"c": CONTAINERS}), state(spec={"c": [{"name": "web", "image": "a:2"}, CONTAINERS[1]]}),
         [Difference("spec.c[name=web].image", "a:1", "a:2")], "items are told apart by name"),
        (state(spec={"c": CONTAINERS}), state(spec={"c": CONTAINERS[1:]}),
         [Difference("spec.c[name=web]", CONTAINERS[0], None)], "an item goes"),
        (state(spec={"c": CONTAINERS}), state(spec={"c": CONTAINERS[::-1]}),
         [Difference("spec.c", CONTAINERS, CONTAINERS[::-1])], "only the order"),
        (state(spec={"l": [1, 2]}), state(spec={"l": [1, 3]}), [Difference("spec.l", [1, 2], [1, 3])], "plain lists"),
        (state(data={"app.conf": "a"}), state(data={"app.conf": "b"}), [Difference("data[app.conf]", "a", "b")],
         "names with dots are set apart"),
    ],
    ids=lambda value: value.replace(" ", "-").replace(",", "") if isinstance(value, str) else "",
)  # fmt: skip
def test_each_changed_field_is_named(was: Any, now: Any, expected: list[Difference], reason: str) -> None:
    assert between(was, now) == expected, reason


def test_values_of_a_secret_are_hidden_wherever_they_come_or_go() -> None:
    secret = state(data={"p": "x"}, stringData={"q": "y"}, type="Opaque")
    secret["metadata"] = {"name": "x", "annotations": {"copy": "x"}, "labels": {"a": "b"}}
    for was, now in ((None, secret), (secret, None), (secret, state(data={"p": "z"}))):
        told = repr([(d.path, d.was, d.now) for d in between(was, now, hide_values=True)])
        assert "'x'" not in told.replace("'name': 'x'", "")
        assert "'y'" not in told
        assert HIDDEN in told
