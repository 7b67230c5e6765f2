"""``quantity('500Mi')`` and ``semver('1.2.3')``."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import total_ordering
from typing import Any, ClassVar

from portway.krm import quantities
from portway.krm.cel.library.declaring import Library
from portway.krm.cel.values import INT_MAX, INT_MIN, EvaluationError

LIBRARY = Library()
declare = LIBRARY.declare
_Q, _S = "kubernetes.Quantity", "kubernetes.Semver"


@total_ordering
class Quantity:
    __slots__ = ("number",)
    type_name: ClassVar[str] = _Q

    def __init__(self, number: Decimal) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.number == other.number

    def __lt__(self, other: Quantity) -> bool:
        return self.number < other.number

    def __hash__(self) -> int:
        return hash(self.number)


def _quantity(text: str) -> Quantity:
    try:
        return Quantity(quantities.parse(text))
    except quantities.BadQuantity:
        raise EvaluationError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ) from None


def _is(make: Any) -> Any:
    def check(*args: Any) -> bool:
        try:
            make(*args)
        except EvaluationError:
            return False
        return True

    return check


def _is_integer(value: Quantity) -> bool:
    return value.number == value.number.to_integral_value() and INT_MIN <= value.number <= INT_MAX


def _as_integer(value: Quantity) -> int:
    if not _is_integer(value):
        raise EvaluationError("cannot convert value to integer")
    return int(value.number)


declare("quantity", f"(string) {_Q}", _quantity)
declare("isQuantity", "(string) bool", _is(_quantity))
declare("sign", f"{_Q}.() int", lambda q: (q.number > 0) - (q.number < 0))
declare("asApproximateFloat", f"{_Q}.() double", lambda q: float(q.number))
declare("asInteger", f"{_Q}.() int", _as_integer)
declare("isInteger", f"{_Q}.() bool", _is_integer)
for _name, _sign in (("add", 1), ("sub", -1)):
    declare(_name, f"{_Q}.({_Q}) {_Q}", lambda a, b, sign=_sign: Quantity(a.number + sign * b.number))
    declare(_name, f"{_Q}.(int) {_Q}", lambda a, b, sign=_sign: Quantity(a.number + sign * b))

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)


@total_ordering
class Semver:
    __slots__ = ("numbers", "pre")
    type_name: ClassVar[str] = _S

    def __init__(self, numbers: tuple[int, int, int], pre: tuple[str, ...]) -> None:
        self.numbers = numbers
        self.pre = pre

    @property
    def _order(self) -> tuple[Any, ...]:
        parts = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.pre)
        return (self.numbers, not self.pre, parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Semver) and self._order == other._order

    def __lt__(self, other: Semver) -> bool:
        return self._order < other._order

    def __hash__(self) -> int:
        return hash(self._order)


def _semver(text: str, normalize: bool = False) -> Semver:
    if normalize:
        text = _normalized(text)
    match = _SEMVER.fullmatch(text)
    pre = tuple(match[4].split(".")) if match and match[4] else ()
    if match is None or any(p.isdigit() and len(p) > 1 and p[0] == "0" for p in pre):
        raise EvaluationError(f"semver is not valid: {text}")
    return Semver((int(match[1]), int(match[2]), int(match[3])), pre)


def _normalized(text: str) -> str:
    """``v1.2`` as ``1.2.0``, ``01.02.03`` as ``1.2.3``."""
    core, mark, rest = text.removeprefix("v"), "", ""
    cut = re.search(r"[-+]", core)
    if cut:
        core, mark, rest = core[: cut.start()], core[cut.start()], core[cut.end() :]
    parts = [part.lstrip("0") or "0" if part.isdigit() else part for part in core.split(".")]
    return ".".join(parts + ["0"] * (3 - len(parts))) + mark + rest


declare("semver", f"(string) {_S}", _semver)
declare("semver", f"(string, bool) {_S}", _semver)
declare("isSemver", "(string) bool", _is(_semver))
declare("isSemver", "(string, bool) bool", _is(_semver))
for _index, _name in enumerate(("major", "minor", "patch")):
    declare(_name, f"{_S}.() int", lambda v, index=_index: v.numbers[index])
for _type in (_Q, _S):
    declare("isGreaterThan", f"{_type}.({_type}) bool", lambda a, b: a > b)
    declare("isLessThan", f"{_type}.({_type}) bool", lambda a, b: a < b)
    declare("compareTo", f"{_type}.({_type}) int", lambda a, b: (a > b) - (a < b))
