"""Expressions of a policy, compiled, and their evaluation for one request and one set of parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from portway.apiserver.admission import inputs
from portway.apiserver.admission.inputs import Inputs
from portway.krm.cel.programs import Budget, Environment, Program
from portway.krm.cel.syntax import CompileError
from portway.krm.cel.types import DYN, Type
from portway.krm.cel.values import CostExceeded, EvaluationError, Lazy
from portway.krm.identity import Manifest

OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
_CONDITIONS_BUDGET = 2_500_000


class Failure(Exception):
    """An expression of a policy gave no usable answer; the failure policy says what that means."""


@dataclass(frozen=True, slots=True)
class Expression:
    source: str
    program: Program | None
    error: str = ""


def compiled(environment: Environment, source: str) -> Expression:
    try:
        return Expression(source, environment.compile(source))
    except CompileError as error:
        return Expression(source, None, f"compilation failed: {error}")


@dataclass(frozen=True, slots=True)
class Variables:
    """Named expressions; each may use those before it."""

    expressions: tuple[tuple[str, Expression], ...]
    types: dict[str, Type]


def variables_of(
    spec: Manifest, *, params: bool, object_type: Type = DYN, params_type: Type = DYN, patches: bool = False
) -> Variables:
    known: dict[str, Type] = {}
    made = []
    for entry in spec.get("variables") or ():
        scope = inputs.environment(
            params=params, variables=known, object_type=object_type, params_type=params_type, patches=patches
        )
        expression = compiled(scope, entry["expression"])
        known = {**known, entry["name"]: expression.program.type if expression.program else DYN}
        made.append((entry["name"], expression))
    return Variables(tuple(made), known)


class Evaluation:
    def __init__(self, given: Inputs, variables: Variables, params: Manifest | None, budget: Budget) -> None:
        self._budget = budget
        self._values: list[Any] = []
        makers: dict[str, Callable[[], Any]] = {
            name: partial(self._make, expression) for name, expression in variables.expressions
        }
        self._values = given.values(params, Lazy(makers))

    def _make(self, expression: Expression) -> Any:
        if expression.program is None:
            raise EvaluationError(expression.error)
        return expression.program.run(self._values, self._budget)

    def of(self, expression: Expression) -> Any:
        """Raises Failure with upstream's text."""
        if expression.program is None:
            raise Failure(expression.error)
        try:
            found = expression.program.run(self._values, self._budget)
        except CostExceeded:
            raise Failure(OUT_OF_BUDGET) from None
        except EvaluationError as error:
            raise Failure(f"expression '{expression.source}' resulted in error: {error}") from None
        if self._budget.left < 0:
            raise Failure(OUT_OF_BUDGET)
        return found


def conditions_hold(
    conditions: Sequence[tuple[str, Expression]],
    given: Inputs,
    variables: Variables = Variables((), {}),
    params: Manifest | None = None,
) -> bool:
    """Of ``matchConditions``. One that is false decides, even when another one fails. Raises Failure."""
    if not conditions:
        return True
    evaluation = Evaluation(given, variables, params, Budget(_CONDITIONS_BUDGET))
    failures = []
    for _, expression in conditions:
        try:
            if evaluation.of(expression) is not True:
                return False
        except Failure as failure:
            failures.append(str(failure))
    if failures:
        raise Failure(failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]")
    return True
