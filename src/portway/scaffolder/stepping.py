"""One step of a template: its condition, its inputs worked out, its action run (for each entry, if asked)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from portway.scaffolder import expressions
from portway.scaffolder.contract import Action, ActionContext, ActionFailed
from portway.scaffolder.folders import OutsideFolder
from portway.scaffolder.templates import Step

_MOST_ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """What expressions can speak of."""

    parameters: Mapping[str, Any]
    outputs: Mapping[str, Mapping[str, Any]]
    """Step id → output of the steps before."""
    user: str = ""
    task: str = ""

    def context(self, each: Mapping[str, Any] | None = None) -> dict[str, Any]:
        known: dict[str, Any] = {
            "parameters": self.parameters,
            "steps": {step: {"output": output} for step, output in self.outputs.items()},
            "secrets": {},
            "user": {
                "ref": f"user:default/{self.user}" if self.user else "",
                "entity": {"metadata": {"name": self.user}},
            },
            "context": {"task": {"id": self.task}},
        }
        return known | ({"each": each} if each is not None else {})


def is_wanted(step: Step, known: Known) -> bool:
    """Raises ``ActionFailed`` for a condition that cannot be worked out."""
    try:
        return expressions.is_true(step.condition, known.context())
    except expressions.ExpressionError as error:
        raise ActionFailed(f"if: {error}") from error


async def run(step: Step, action: Action, known: Known, context: ActionContext) -> dict[str, Any]:
    """Output of the step. With ``each``: a list per key. Raises ``ActionFailed``, or ``Retry`` from the action."""
    try:
        if step.each is None:
            return await _once(step, action, known.context(), context)
        gathered: dict[str, list[Any]] = {}
        for each in _rounds(step, known):
            output = await _once(step, action, known.context(each), context)
            for key, value in output.items():
                gathered.setdefault(key, []).append(value)
        return dict(gathered)
    except expressions.ExpressionError as error:
        raise ActionFailed(str(error)) from error
    except OutsideFolder as error:
        raise ActionFailed(str(error)) from error


async def _once(step: Step, action: Action, known: Mapping[str, Any], context: ActionContext) -> dict[str, Any]:
    given = expressions.resolve(dict(step.input), known)
    for error in jsonschema_rs.Draft7Validator(dict(action.schema)).iter_errors(given):
        where = ".".join(("input", *map(str, error.instance_path)))
        raise ActionFailed(f"{where}: {error.message}")
    return dict(await action.run(given, context))


def _rounds(step: Step, known: Known) -> Iterator[Mapping[str, Any]]:
    over = expressions.resolve(step.each, known.context())
    if isinstance(over, Mapping):
        entries = list(over.items())
    elif isinstance(over, list):
        entries = [(str(i), value) for i, value in enumerate(over)]
    else:
        raise ActionFailed(f"each: {over!r} is neither a list nor a mapping")
    if len(entries) > _MOST_ROUNDS:
        raise ActionFailed(f"each: {len(entries)} entries are too many; at most {_MOST_ROUNDS} are allowed")
    return ({"key": key, "value": value} for key, value in entries)
