"""Expressions ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portway.krm.cel import compiling, costs, parsing
from portway.krm.cel.checking import Checker, Scope
from portway.krm.cel.library import (
    authorizers,
    conversions,
    formats,
    lists,
    networks,
    operators,
    quantities,
    strings,
)
from portway.krm.cel.library.declaring import merged
from portway.krm.cel.syntax import CompileError, Issue, report
from portway.krm.cel.types import Type
from portway.krm.cel.values import CostExceeded, EvaluationError

CALL_LIMIT = 1_000_000
"""Cost of one evaluation."""
REQUEST_LIMIT = 10_000_000
"""Cost of all evaluations of one object or binding."""
FUNCTIONS = merged(
    operators.LIBRARY,
    conversions.LIBRARY,
    strings.LIBRARY,
    lists.LIBRARY,
    quantities.LIBRARY,
    networks.LIBRARY,
    formats.LIBRARY,
    authorizers.LIBRARY,
)


class Budget:
    """What is left for the evaluations of one object."""

    __slots__ = ("left",)

    def __init__(self, left: int = REQUEST_LIMIT) -> None:
        self.left = left

    def spend(self, cost: int) -> None:
        self.left -= cost


class Program:
    """``run`` with values of the environment's variables, in their order."""

    __slots__ = ("_frame", "_run", "cost", "source", "type", "used")

    def __init__(
        self, source: str, run: compiling.Run, slots: int, *, type_: Type, used: frozenset[str], cost: costs.Span
    ) -> None:
        self.source = source
        self._run = run
        self._frame = [None] * (slots - 1)
        self.type = type_
        self.used = used
        """Names of the variables it uses."""
        self.cost = cost
        """Estimated at compile time."""

    def run(self, values: Sequence[Any], budget: Budget | None = None) -> Any:
        """Raises EvaluationError; CostExceeded when it alone goes over CALL_LIMIT."""
        frame: list[Any] = [CALL_LIMIT, *self._frame]
        frame[1 : len(values) + 1] = values
        try:
            return self._run(frame)
        except EvaluationError:
            raise
        except RecursionError:
            raise CostExceeded from None
        except compiling.FAULTS:
            raise EvaluationError("no such overload") from None
        finally:
            if budget is not None:
                budget.spend(CALL_LIMIT - frame[0] + min(self.cost.low, 1000))


class Environment:
    """Variables by name with their types, and what else expressions may use."""

    def __init__(
        self,
        variables: Mapping[str, Type],
        *,
        structs: Mapping[str, Type] | None = None,
        open_structs: tuple[str, ...] = (),
    ) -> None:
        self.variables = dict(variables)
        self._structs = structs or {}
        self._open_structs = open_structs

    def compile(self, source: str) -> Program:
        """Raises CompileError with cel-go's text."""
        try:
            return self._compiled(source)
        except Issue as issue:
            raise report(source, [issue]) from None
        except RecursionError:
            raise report(source, [Issue(0, "expression recursion limit exceeded")]) from None

    def _compiled(self, source: str) -> Program:
        node = parsing.parse(source)
        checker = Checker(Scope(self.variables, FUNCTIONS, self._structs, self._open_structs))
        type_ = checker.check(node)
        if checker.issues:
            raise report(source, checker.issues)
        cost = costs.estimate(node)
        return Program(
            source, compiling.build(node), checker.slots, type_=type_, used=frozenset(checker.used), cost=cost
        )


__all__ = ["Budget", "CompileError", "Environment", "EvaluationError", "Program"]
