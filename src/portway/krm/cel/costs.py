"""The most an expression can cost, from the bounds of the schema.

Method and constants: github.com/google/cel-go checker/cost.go and k8s.io/apiserver pkg/cel/library/cost.go.
"""

from __future__ import annotations

import math
from functools import singledispatchmethod
from typing import NamedTuple

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
from portway.krm.cel.types import Type

MAX = (1 << 64) - 1
_TEXT = 0.1
_REGEX = 0.25
_SELECTED = ("map", "object", "param")


class Span(NamedTuple):
    """Least and most: of a cost, or of a size."""

    low: int
    high: int

    def plus(self, other: Span) -> Span:
        return Span(min(self.low + other.low, MAX), min(self.high + other.high, MAX))

    def times(self, other: Span) -> Span:
        return Span(min(self.low * other.low, MAX), min(self.high * other.high, MAX))

    def by(self, factor: float) -> Span:
        return Span(_ceil(self.low, factor), _ceil(self.high, factor))

    def union(self, other: Span) -> Span:
        return Span(min(self.low, other.low), max(self.high, other.high))


def _ceil(size: int, factor: float) -> int:
    return MAX if size >= MAX else min(math.ceil(size * factor), MAX)


ONE, NOTHING, UNKNOWN = Span(1, 1), Span(0, 0), Span(0, MAX)
_SCALARS = frozenset(("bool", "int", "uint", "double", "timestamp", "duration", "null"))


def estimate(node: Node) -> Span:
    """Of a checked expression."""
    return _Estimator().cost(node)


class _Estimator:
    def __init__(self) -> None:
        self._sizes: dict[int, Span] = {}

    def _size(self, node: Node) -> Span:
        known = self._sizes.get(id(node))
        if known is not None:
            return known
        if isinstance(node, Literal):
            return Span(*[len(node.value)] * 2) if isinstance(node.value, str | bytes) else ONE
        if isinstance(node, ListLiteral):
            return Span(*[len(node.items)] * 2)
        if isinstance(node, MapLiteral):
            return Span(*[len(node.entries)] * 2)
        if _has_path(node):
            return Span(0, node.type.size)
        return ONE if node.type.kind in _SCALARS else UNKNOWN

    @singledispatchmethod
    def cost(self, node: Node) -> Span:
        raise TypeError(type(node))

    @cost.register
    def _literal(self, _node: Literal) -> Span:
        return NOTHING

    @cost.register
    def _ident(self, _node: Ident) -> Span:
        return ONE

    @cost.register
    def _select(self, node: Select) -> Span:
        operand = self.cost(node.operand)
        if node.test:
            return operand
        return operand.plus(ONE) if node.operand.type.kind in _SELECTED else operand

    @cost.register
    def _list(self, node: ListLiteral) -> Span:
        return self._sum([item for item, _ in node.items]).plus(Span(10, 10))

    @cost.register
    def _map(self, node: MapLiteral) -> Span:
        return self._sum([part for key, value, _ in node.entries for part in (key, value)]).plus(Span(30, 30))

    @cost.register
    def _struct(self, node: Struct) -> Span:
        return self._sum([child for _, _, child, _ in node.fields]).plus(Span(40, 40))

    def _sum(self, nodes: list[Node]) -> Span:
        total = NOTHING
        for node in nodes:
            total = total.plus(self.cost(node))
        return total

    @cost.register
    def _unwrap(self, node: Unwrap) -> Span:
        body = self.cost(node.body)
        return self.cost(node.operand).plus(Span(2, body.high + 12))

    @cost.register
    def _fold(self, node: Fold) -> Span:
        over = self.cost(node.range)
        count = self._size(node.range)
        predicate = self.cost(node.predicate) if node.predicate is not None else NOTHING
        made = self.cost(node.transform) if node.transform is not None else ONE
        if node.kind in ("all", "exists"):
            loop = Span(2, 2) if node.kind == "all" else Span(3, 3)
            step = loop.plus(Span(1, 1 + predicate.high))
            self._sizes[id(node)] = ONE
            return over.plus(count.times(step)).plus(ONE)
        if node.kind == "exists_one":
            self._sizes[id(node)] = ONE
            return over.plus(count.times(predicate.plus(Span(1, 2)))).plus(Span(2, 2))
        step = made.plus(Span(12, 12))
        if node.predicate is not None:
            step = predicate.plus(Span(1, step.high))
        self._sizes[id(node)] = Span(0, count.high)
        return over.plus(Span(10, 10)).plus(count.times(step)).plus(ONE)

    @cost.register
    def _call(self, node: Call) -> Span:
        costs = [self.cost(operand) for operand in node.operands]
        total = NOTHING
        for cost in costs:
            total = total.plus(cost)
        function = node.function
        if function in ("_&&_", "_||_"):
            return Span(costs[0].low, total.high)
        if function == "_?_:_":
            self._sizes[id(node)] = self._size(node.args[1]).union(self._size(node.args[2]))
            return costs[0].plus(costs[1].union(costs[2]))
        return total.plus(self._own(node, [self._size(operand) for operand in node.operands]))

    def _own(self, node: Call, sizes: list[Span]) -> Span:
        if node.function.startswith("_"):
            return self._operator(node, sizes)
        return self._function(node, sizes)

    def _operator(self, node: Call, sizes: list[Span]) -> Span:
        function = node.function
        if function in ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"):
            return self._compared(node, sizes)
        if function == "_+_":
            return self._added(node, sizes)
        return ONE

    def _function(self, node: Call, sizes: list[Span]) -> Span:
        own = _FIXED.get(node.function)
        if own is not None:
            return own
        function = node.function
        if function in ("startsWith", "endsWith"):
            return sizes[1].by(_TEXT)
        if function == "@in":
            return sizes[1] if node.args[1].type.kind != "map" else ONE
        if function in ("matches", "find", "findAll") and len(sizes) > 1:
            cost = sizes[0].plus(ONE).by(_TEXT).times(sizes[1].by(_REGEX))
            self._resize(node, function, sizes[0])
            return cost
        if function == "contains" and node.target is not None:
            return sizes[0].by(_TEXT).times(sizes[1].by(_TEXT))
        if function == "validate":
            return sizes[-1].plus(ONE).by(_TEXT).times(Span(16, 16))
        if function in _LIST_WORK and node.target is not None:
            return self._per_item(node, sizes[0])
        if function in _TRAVERSALS and sizes:
            self._resize(node, function, sizes[0])
            return sizes[0].by(_TEXT)
        if function in ("replace", "split") and node.target is not None:
            self._sizes[id(node)] = self._replaced(sizes) if function == "replace" else Span(0, sizes[0].high)
            return sizes[0].by(2 * _TEXT)
        if function == "join" and node.target is not None:
            return self._joined(node, sizes)
        if function in ("sets.contains", "sets.equivalent", "sets.intersects"):
            return sizes[0].times(sizes[1]).plus(ONE)
        return ONE

    def _resize(self, node: Call, function: str, size: Span) -> None:
        if function in ("find", "findAll", "lowerAscii", "upperAscii", "substring", "trim", "url"):
            self._sizes[id(node)] = Span(0, size.high) if function != "url" else size

    def _compared(self, node: Call, sizes: list[Span]) -> Span:
        texts = all(o.type.kind in ("string", "bytes", "dyn") for o in node.operands)
        if node.function not in ("_==_", "_!=_") and not texts:
            return ONE
        most = min(size.high for size in sizes)
        return Span(1 if most else 0, most).by(_TEXT)

    def _added(self, node: Call, sizes: list[Span]) -> Span:
        kinds = {operand.type.kind for operand in node.operands}
        if kinds & {"string", "bytes", "list", "dyn"}:
            self._sizes[id(node)] = sizes[0].plus(sizes[1])
        if kinds & {"string", "bytes", "dyn"}:
            return self._sizes[id(node)].by(_TEXT)
        return ONE

    def _per_item(self, node: Call, size: Span) -> Span:
        target = node.target.type if node.target is not None else Type("dyn")
        if target.kind != "list":
            return size.by(_TEXT)
        item = target.params[0]
        each = Span(1, 1)
        if item.kind in ("string", "bytes"):
            each = each.plus((Span(0, item.size) if item.size else UNKNOWN).by(_TEXT))
        return size.times(each)

    def _replaced(self, sizes: list[Span]) -> Span:
        text, old, new = sizes[:3]
        if not old.low:
            return Span(0, min((text.high + 1) * new.high + text.high, MAX))
        if new.high <= old.low:
            return Span(0, text.high)
        return Span(0, min(math.ceil(text.high / old.low) * new.high, MAX) if text.high < MAX else MAX)

    def _joined(self, node: Call, sizes: list[Span]) -> Span:
        target = node.target.type if node.target is not None else Type("dyn")
        item = Span(0, target.params[0].size) if target.kind == "list" and target.params[0].size else UNKNOWN
        size = sizes[0].times(item)
        if len(sizes) > 1:
            size = size.plus(sizes[1].times(Span(max(sizes[0].low - 1, 0), max(sizes[0].high - 1, 0))))
        self._sizes[id(node)] = size
        return size.by(_TEXT)


_FIXED = {"check": Span(350_000, 350_000)}
_LIST_WORK = frozenset(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes"))
_TRAVERSALS = frozenset(
    (
        *(
            "url",
            "lowerAscii",
            "upperAscii",
            "substring",
            "trim",
            "jsonpatch.escapeKey",
            "bytes",
        ),
        *(
            "string",
            "cidr",
            "isIP",
            "isCIDR",
            "ip",
            "ip.isCanonical",
            "quantity",
        ),
        *(
            "isQuantity",
            "semver",
            "isSemver",
            "format",
        ),
    )
)


def _has_path(node: Node) -> bool:
    """Reached from a variable by fields and items alone, so that its type carries the schema's bounds."""
    if isinstance(node, Ident):
        return True
    if isinstance(node, Select):
        return not node.test and _has_path(node.operand)
    if isinstance(node, Call) and node.function in ("_[_]", "_[?_]"):
        return _has_path(node.args[0])
    return False
