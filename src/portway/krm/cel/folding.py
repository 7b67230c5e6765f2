"""Macros over lists and maps, as loops. An error in one item counts only when no other item decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from portway.krm.cel.syntax import Fold, Node
from portway.krm.cel.values import CostExceeded, EvaluationError, no_overload

Frame = list[Any]
Run = Callable[[Frame], Any]
_STEP = 3
"""Units a round costs, beyond what its calls charge for themselves."""


def build(node: Fold, inner: Callable[[Node], Run]) -> Run:
    over = _rounds(node, inner(node.range))
    condition = inner(node.predicate) if node.predicate is not None else None
    predicate = condition or _always
    transform = inner(node.transform) if node.transform is not None else _always
    if node.kind in ("all", "exists"):
        return _quantified(over, predicate, decisive=node.kind == "exists")
    if node.kind == "exists_one":
        return _exactly_one(over, predicate)
    if node.kind == "filter":
        slot = node.slots[0]
        return _collected(over, condition, lambda frame: frame[slot])
    if node.kind in ("map", "transformList"):
        return _collected(over, condition, transform)
    if node.kind == "transformMapEntry":
        return _merged(over, condition, transform)
    return _transformed(over, condition, transform, node.slots[0])


def _always(_frame: Frame) -> Any:
    return True


def _rounds(node: Fold, operand: Run) -> Callable[[Frame], Iterator[None]]:
    """Sets the variables for each item in turn."""
    first, second = (*node.slots, 0)[:2]
    pairs = len(node.slots) == 2
    cost = _STEP + _size(node.predicate) + _size(node.transform)

    def rounds(frame: Frame) -> Iterator[None]:
        value = operand(frame)
        if type(value) not in (list, dict):
            raise no_overload()
        is_map = type(value) is dict
        for index, item in enumerate(value):
            left = frame[0] - cost
            frame[0] = left
            if left < 0:
                raise CostExceeded
            if pairs:
                frame[first], frame[second] = (item, value[item]) if is_map else (index, item)
            else:
                frame[first] = item
            yield

    return rounds


def _size(node: Node | None) -> int:
    """Parts of an expression, not entering loops, which charge for themselves."""
    if node is None or isinstance(node, Fold):
        return 0
    total = 1
    for name in ("operand", "body", "target"):
        child = getattr(node, name, None)
        if isinstance(child, Node):
            total += _size(child)
    return total + sum(_size(child) for child in getattr(node, "args", ()))


def _quantified(over: Callable[[Frame], Iterator[None]], predicate: Run, *, decisive: bool) -> Run:
    from portway.krm.cel.compiling import FAULTS

    def run(frame: Frame) -> Any:
        fault: Exception | None = None
        for _ in over(frame):
            try:
                found = predicate(frame)
                if found is decisive:
                    return decisive
                if found is not (not decisive):
                    raise no_overload()
            except CostExceeded:
                raise
            except FAULTS as error:
                fault = error
        if fault is not None:
            raise fault
        return not decisive

    return run


def _exactly_one(over: Callable[[Frame], Iterator[None]], predicate: Run) -> Run:
    return lambda frame: sum(_true(predicate(frame)) for _ in over(frame)) == 1


def _true(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise no_overload()


def _collected(over: Callable[[Frame], Iterator[None]], predicate: Run | None, transform: Run) -> Run:
    if predicate is None:
        return lambda frame: [transform(frame) for _ in over(frame)]
    return lambda frame: [transform(frame) for _ in over(frame) if _true(predicate(frame))]


def _transformed(over: Callable[[Frame], Iterator[None]], predicate: Run | None, transform: Run, key: int) -> Run:
    def run(frame: Frame) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for _ in over(frame):
            if predicate is None or _true(predicate(frame)):
                made[frame[key]] = transform(frame)
        return made

    return run


def _merged(over: Callable[[Frame], Iterator[None]], predicate: Run | None, transform: Run) -> Run:
    def run(frame: Frame) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for _ in over(frame):
            if predicate is not None and not _true(predicate(frame)):
                continue
            for key, value in transform(frame).items():
                if key in made:
                    raise EvaluationError(f"insert failed: key {key} already exists")
                made[key] = value
        return made

    return run
