"""From a checked tree to closures. A frame is a list: the budget left, then the variables.

Values are JSON as decoded; fields of declared types that JSON lacks (times, bytes) are converted when selected.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

from portway.krm.cel import charging, values
from portway.krm.cel.library.declaring import Overload
from portway.krm.cel.syntax import (
    Call,
    Fold,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Node,
    Select,
    Struct,
    Unwrap,
)
from portway.krm.cel.values import NONE, CostExceeded, EvaluationError, Lazy, Optional, StructValue, equal, no_overload

Frame = list[Any]
Run = Callable[[Frame], Any]
FAULTS = (EvaluationError, TypeError, AttributeError, ValueError, OverflowError, KeyError)
"""What an evaluation may end with; a null where a schema promised text shows as one of Python's own."""
_COMPARED = frozenset(("int", "double", "string", "bool", "timestamp", "duration", "uint"))


@singledispatch
def build(node: Node) -> Run:
    raise TypeError(type(node))


@build.register
def _literal(node: Literal) -> Run:
    value = node.value
    return lambda _frame: value


@build.register
def _ident(node: Ident) -> Run:
    if node.type_value is not None:
        value = node.type_value
        return lambda _frame: value
    slot = node.slot
    return lambda frame: frame[slot]


@build.register
def _select(node: Select) -> Run:
    if node.type_value is not None:
        value = node.type_value
        return lambda _frame: value
    if node.slot:
        slot = node.slot
        return lambda frame: frame[slot]
    operand, key = build(node.operand), node.key
    if node.test:
        return _presence(operand, key, optional=node.optional)
    convert = values.converter(node.type) if node.operand.type.kind == "object" else None
    if node.optional:
        return _optional_select(operand, key, convert)

    def select(frame: Frame) -> Any:
        value = operand(frame)
        try:
            return value[key]
        except KeyError:
            raise EvaluationError(f"no such key: {key}") from None
        except (TypeError, AttributeError):
            return _unusual(value, key)

    if convert is None:
        return select
    return lambda frame: convert(select(frame))


def _unusual(value: Any, key: str) -> Any:
    if isinstance(value, Lazy):
        return value.get(key)
    if isinstance(value, StructValue) and key in value.fields:
        return value.fields[key]
    if isinstance(value, Optional):
        return _chosen(value.value, key) if value.has else NONE
    raise EvaluationError(f"no such key: {key}") if isinstance(value, StructValue) else no_overload()


def _chosen(value: Any, key: str) -> Optional:
    if isinstance(value, Optional):
        return _chosen(value.value, key) if value.has else NONE
    if isinstance(value, StructValue):
        value = value.fields
    if isinstance(value, dict):
        return Optional(value[key]) if key in value else NONE
    if isinstance(value, Lazy):
        return Optional(value.get(key)) if key in value else NONE
    raise no_overload()


def _optional_select(operand: Run, key: str, convert: Callable[[Any], Any] | None) -> Run:
    def select(frame: Frame) -> Optional:
        found = _chosen(operand(frame), key)
        return Optional(convert(found.value)) if convert is not None and found.has else found

    return select


def _presence(operand: Run, key: str, *, optional: bool) -> Run:
    def present(frame: Frame) -> bool:
        value = operand(frame)
        if type(value) is dict:
            return key in value
        if isinstance(value, Optional) or optional:
            return _chosen(value, key).has
        if isinstance(value, Lazy):
            return key in value
        if isinstance(value, StructValue):
            return key in value.fields
        raise no_overload()

    return present


@build.register
def _call(node: Call) -> Run:
    special = _SPECIAL.get(node.function)
    if special is not None:
        return special(node)
    args = [build(arg) for arg in node.operands]
    direct = _direct(node, args)
    if direct is not None:
        return direct
    call = _dispatched(node)
    charge = charging.CHARGES.get(node.function)
    if charge is not None:
        return _charged(args, call, charge)
    return _applied(args, call)


def _applied(args: list[Run], call: Callable[..., Any]) -> Run:
    if len(args) == 1:
        only = args[0]
        return lambda frame: call(only(frame))
    if len(args) == 2:
        first, second = args
        return lambda frame: call(first(frame), second(frame))
    return lambda frame: call(*[arg(frame) for arg in args])


def _charged(args: list[Run], call: Callable[..., Any], charge: charging.Charge) -> Run:
    def run(frame: Frame) -> Any:
        given = [arg(frame) for arg in args]
        left = frame[0] - charge(*given)
        frame[0] = left
        if left < 0:
            raise CostExceeded
        return call(*given)

    return run


def _direct(node: Call, args: list[Run]) -> Run | None:
    """Comparisons of numbers and texts known as such."""
    compare = _COMPARISONS.get(node.function)
    kinds = {operand.type.kind for operand in node.operands}
    if compare is None or len(kinds) != 1 or not kinds <= _COMPARED:
        return None
    return _applied(args, compare)


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "_<_": lambda a, b: a < b,
    "_<=_": lambda a, b: a <= b,
    "_>_": lambda a, b: a > b,
    "_>=_": lambda a, b: a >= b,
}


def _dispatched(node: Call) -> Callable[..., Any]:
    overloads: list[Overload] = node.overloads
    dynamic = any(operand.type.kind == "dyn" for operand in node.operands)
    if len(overloads) == 1 and not dynamic:
        found: Callable[..., Any] = overloads[0].call
        return found

    def dispatch(*given: Any) -> Any:
        for candidate in overloads:
            if candidate.accepts(given):
                return candidate.call(*given)
        raise no_overload()

    return dispatch


def _boolean(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise no_overload()


def _and(node: Call) -> Run:
    return _logic(node, decisive=False)


def _or(node: Call) -> Run:
    return _logic(node, decisive=True)


def _logic(node: Call, *, decisive: bool) -> Run:
    """Either side may decide; an error counts only when neither does."""
    left, right = (build(arg) for arg in node.args)

    def run(frame: Frame) -> Any:
        try:
            first = left(frame)
            if first is decisive:
                return decisive
            if first is not (not decisive):
                raise no_overload()
        except CostExceeded:
            raise
        except FAULTS as fault:
            if right(frame) is decisive:
                return decisive
            raise fault
        return _boolean(right(frame))

    return run


def _condition(node: Call) -> Run:
    test, yes, no = (build(arg) for arg in node.args)
    return lambda frame: yes(frame) if _boolean(test(frame)) else no(frame)


def _not(node: Call) -> Run:
    operand = build(node.args[0])
    return lambda frame: not _boolean(operand(frame))


def _equals(node: Call) -> Run:
    return _equality(node, wanted=True)


def _differs(node: Call) -> Run:
    return _equality(node, wanted=False)


def _equality(node: Call, *, wanted: bool) -> Run:
    left, right = (build(arg) for arg in node.args)
    for literal, other in ((node.args[1], left), (node.args[0], right)):
        if isinstance(literal, Literal) and type(literal.value) in (str, bool, type(None)):
            return _literal_equality(other, literal.value, wanted=wanted)
    charge = charging.CHARGES["_==_"]
    if all(arg.type.kind in ("int", "bool", "double", "uint") for arg in node.args):
        return lambda frame: bool(left(frame) == right(frame)) is wanted

    def run(frame: Frame) -> Any:
        a, b = left(frame), right(frame)
        if type(a) is str and type(b) is str:
            return (a == b) is wanted
        frame[0] -= charge(a, b)
        if frame[0] < 0:
            raise CostExceeded
        return equal(a, b) is wanted

    return run


def _literal_equality(other: Run, value: Any, *, wanted: bool) -> Run:
    kind = type(value)

    def run(frame: Frame) -> Any:
        found = other(frame)
        return (type(found) is kind and found == value) is wanted

    return run


_SPECIAL: dict[str, Callable[[Call], Run]] = {
    "_&&_": _and,
    "_||_": _or,
    "_?_:_": _condition,
    "!_": _not,
    "_==_": _equals,
    "_!=_": _differs,
}


def _optional_call(node: Call) -> Run:
    """``or`` and ``orValue`` look at their argument only when there is need."""
    operand, other = build(node.operands[0]), build(node.operands[1])
    whole = node.function == "or"

    def run(frame: Frame) -> Any:
        found = operand(frame)
        if not isinstance(found, Optional):
            raise no_overload()
        if found.has:
            return found if whole else found.value
        return other(frame)

    return run


_SPECIAL["or"] = _SPECIAL["orValue"] = _optional_call


@build.register
def _list(node: ListLiteral) -> Run:
    if all(isinstance(item, Literal) and not optional for item, optional in node.items):
        constant = [item.value for item, _ in node.items if isinstance(item, Literal)]
        return lambda _frame: constant
    items = [(build(item), optional) for item, optional in node.items]

    def run(frame: Frame) -> list[Any]:
        made = []
        for item, optional in items:
            value = item(frame)
            if not optional:
                made.append(value)
            elif value.has:
                made.append(value.value)
        return made

    return run


@build.register
def _map(node: MapLiteral) -> Run:
    entries = [(build(key), build(value), optional) for key, value, optional in node.entries]

    def run(frame: Frame) -> dict[Any, Any]:
        made = {}
        for key, child, optional in entries:
            name, value = key(frame), child(frame)
            if name in made:
                raise EvaluationError(f"failed with repeated key: {name}")
            if not optional:
                made[name] = value
            elif value.has:
                made[name] = value.value
        return made

    return run


@build.register
def _struct(node: Struct) -> Run:
    name = node.name
    fields = [(field, build(child), optional) for _, field, child, optional in node.fields]

    def run(frame: Frame) -> StructValue:
        made = {}
        for field, child, optional in fields:
            value = child(frame)
            if not optional:
                made[field] = value
            elif value.has:
                made[field] = value.value
        return StructValue(name, made)

    return run


@build.register
def _unwrap(node: Unwrap) -> Run:
    operand, body, slot, flat = build(node.operand), build(node.body), node.slot, node.flat

    def run(frame: Frame) -> Any:
        found = operand(frame)
        if not found.has:
            return NONE
        frame[slot] = found.value
        return body(frame) if flat else Optional(body(frame))

    return run


@build.register
def _fold(node: Fold) -> Run:
    from portway.krm.cel import folding

    return folding.build(node, build)
