"""Finds the type of every part and what does not fit, in cel-go's words; resolves overloads and variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import singledispatchmethod

from portway.krm.cel import types, values
from portway.krm.cel.library.declaring import Functions, Overload
from portway.krm.cel.syntax import (
    Call,
    Fold,
    Ident,
    Issue,
    ListLiteral,
    Literal,
    MapLiteral,
    Node,
    Select,
    Struct,
    Unwrap,
    qualified,
)
from portway.krm.cel.types import DYN, Bindings, Type, assignable, substitute

_LITERALS = {
    bool: types.BOOL,
    int: types.INT,
    values.Uint: types.UINT,
    float: types.DOUBLE,
    str: types.STRING,
    bytes: types.BYTES,
    type(None): types.NULL,
}
_TYPE_NAMES = frozenset((*values.TYPE_VALUES, "null_type"))


@dataclass(slots=True)
class Scope:
    """What names mean. Slot 0 of a frame is the budget; variables come in their order after it."""

    variables: Mapping[str, Type]
    functions: Functions
    structs: Mapping[str, Type] = field(default_factory=dict)
    """Types that ``Name{…}`` makes."""
    open_structs: tuple[str, ...] = ()
    """Prefixes of names of structs that take any field (``Object``)."""


class Checker:
    """``check`` once; then ``issues``, ``used`` and ``slots`` say the rest."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._slots = {name: index for index, name in enumerate(scope.variables, 1)}
        self._types = dict(scope.variables)
        self.issues: list[Issue] = []
        self.used: set[str] = set()
        self._mixing = 0
        """Inside arguments of ``format``, whose lists may mix types."""
        self.slots = len(self._slots) + 1
        """How long a frame has to be."""

    def check(self, node: Node) -> Type:
        node.type = self._check(node)
        return node.type

    def _report(self, position: int, text: str) -> Type:
        self.issues.append(Issue(position, text))
        return DYN

    @singledispatchmethod
    def _check(self, node: Node) -> Type:
        raise TypeError(type(node))

    @_check.register
    def _literal(self, node: Literal) -> Type:
        return _LITERALS[type(node.value)]

    @_check.register
    def _ident(self, node: Ident) -> Type:
        found = self._types.get(node.name)
        if found is not None:
            node.slot = self._slots[node.name]
            self.used.add(node.name)
            return found
        if self._type_named(node, node.name):
            return types.TYPE
        return self._report(node.position, f"undeclared reference to '{node.name}' (in container '')")

    def _type_named(self, node: Ident | Select, name: str) -> bool:
        if name in _TYPE_NAMES or name in self._scope.structs or name.startswith(("kubernetes.", "net.")):
            node.type_value = values.TypeValue(name)
            return True
        return False

    @_check.register
    def _select(self, node: Select) -> Type:
        if not node.test and not node.optional:
            name = qualified(node)
            if name in self._types:
                node.slot = self._slots[name]
                return self._types[name]
            head = name.partition(".")[0]
            if name and head not in self._types and self._type_named(node, name):
                return types.TYPE
        operand = self.check(node.operand)
        wrapped = operand.kind == "optional"
        found = self._field(node, operand.params[0] if wrapped else operand)
        if node.test:
            return types.BOOL
        if node.optional or wrapped:
            return found if found.kind == "optional" and wrapped else types.optional_of(found)
        return found

    def _field(self, node: Select, operand: Type) -> Type:
        if operand.kind == "map":
            return operand.params[1]
        if operand.kind == "object" and operand.fields is not None:
            found = operand.fields.get(node.field)
            if found is None:
                return self._report(node.position, f"undefined field '{node.field}'")
            node.key = operand.keys.get(node.field, node.field)
            return found
        if operand.kind in ("dyn", "object"):
            return DYN
        return self._report(node.position, f"type '{operand}' does not support field selection")

    @_check.register
    def _call(self, node: Call) -> Type:
        if node.target is not None:
            prefix = qualified(node.target)
            name = f"{prefix}.{node.function}" if prefix else ""
            if name in self._scope.functions and prefix.partition(".")[0] not in self._types:
                node.function, node.target = name, None
        self._mixing += node.function == "format"
        args = [self.check(arg) for arg in node.operands]
        self._mixing -= node.function == "format"
        overloads = self._scope.functions.get(node.function)
        if overloads is None:
            return self._report(node.position, f"undeclared reference to '{node.function}' (in container '')")
        self._check_literals(node)
        return self._resolve(node, args, overloads)

    def _resolve(self, node: Call, args: list[Type], overloads: list[Overload]) -> Type:
        member, result, matching = node.target is not None, None, []
        for candidate in overloads:
            if candidate.member != member or len(candidate.args) != len(args):
                continue
            bound: Bindings = {}
            if not all(assignable(t, a, bound) for t, a in zip(candidate.args, args, strict=True)):
                continue
            matching.append(candidate)
            found = substitute(candidate.result, bound)
            result = found if result is None or result == found else DYN
        node.overloads = matching
        if result is None:
            shown = ", ".join(map(str, args[1:] if member else args))
            signature = f"{args[0]}.({shown})" if member else f"({shown})"
            return self._report(
                node.position, f"found no matching overload for '{node.function}' applied to '{signature}'"
            )
        return result

    def _check_literals(self, node: Call) -> None:
        """Regular expressions, durations and times written out must be good ones."""
        from portway.krm.cel.library import strings

        checks: dict[str, tuple[str, Callable[[str], object]]] = {
            "matches": ("matches", strings.pattern),
            "duration": ("duration", values.duration),
            "timestamp": ("timestamp", values.timestamp),
        }
        if node.function not in checks or not node.args:
            return
        arg = node.args[-1]
        if not isinstance(arg, Literal) or not isinstance(arg.value, str):
            return
        name, parse = checks[node.function]
        try:
            parse(arg.value)
        except values.EvaluationError as error:
            why = f": {error}" if name == "matches" else ""
            self._report(arg.position, f"invalid {name} argument{why}")

    @_check.register
    def _list(self, node: ListLiteral) -> Type:
        item: Type | None = None
        for child, optional in node.items:
            found = self._inner(child, optional)
            item = self._joined(item, found, child.position)
        return types.list_of(item or DYN)

    @_check.register
    def _map(self, node: MapLiteral) -> Type:
        key: Type | None = None
        value: Type | None = None
        for name, child, optional in node.entries:
            key = self._joined(key, self.check(name), name.position)
            value = self._joined(value, self._inner(child, optional), child.position)
        return types.map_of(key or DYN, value or DYN)

    def _inner(self, node: Node, optional: bool) -> Type:
        found = self.check(node)
        if not optional or found.kind == "dyn":
            return found
        if found.kind != "optional":
            return self._report(node.position, f"expected type 'optional_type({found})' but found '{found}'")
        return found.params[0]

    def _joined(self, known: Type | None, found: Type, position: int) -> Type:
        if known is None or known.kind == "dyn":
            return found if known is None else known
        if assignable(known, found, {}):
            return DYN if found.kind == "dyn" else known
        if self._mixing:
            return DYN
        self._report(position, f"expected type '{known}' but found '{found}'")
        return known

    @_check.register
    def _struct(self, node: Struct) -> Type:
        declared = self._scope.structs.get(node.name)
        if declared is None or declared.fields is None:
            if not node.name.startswith(self._scope.open_structs) or not self._scope.open_structs:
                return self._report(node.position, f"undeclared reference to '{node.name}' (in container '')")
            for _, _, child, _ in node.fields:
                self.check(child)
            return Type("object", name=node.name)
        for position, name, child, optional in node.fields:
            found = self._inner(child, optional)
            wanted = declared.fields.get(name)
            if wanted is None:
                self._report(position, f"undefined field '{name}'")
            elif not assignable(wanted, found, {}):
                self._report(position, f"expected type of field '{name}' is '{wanted}' but provided type is '{found}'")
        return declared

    @_check.register
    def _fold(self, node: Fold) -> Type:
        over = self.check(node.range)
        first, second = self._elements(node, over)
        given = (first, second) if len(node.variables) == 2 else (first if over.kind == "map" else second,)
        shadowed = self._push(node.variables, given)
        node.slots = tuple(self._slots[name] for name in node.variables)
        if node.predicate is not None:
            found = self.check(node.predicate)
            if found.kind not in ("bool", "dyn"):
                self._not_bool(node, found)
        made = self.check(node.transform) if node.transform is not None else DYN
        self._pop(shadowed)
        if node.kind in ("map", "transformList"):
            return types.list_of(made)
        if node.kind == "filter":
            return types.list_of(given[0])
        if node.kind == "transformMap":
            return types.map_of(first, made)
        if node.kind == "transformMapEntry":
            return made if made.kind == "map" else types.map_of(DYN, DYN)
        return types.BOOL

    def _not_bool(self, node: Fold, found: Type) -> None:
        function = {"all": "_&&_", "exists": "_||_"}.get(node.kind)
        if function and node.predicate is not None:
            text = f"found no matching overload for '{function}' applied to '(bool, {found})'"
            self._report(node.predicate.position, text)
        else:
            text = f"found no matching overload for '_?_:_' applied to '({found}, list(dyn), list(dyn))'"
            self._report(node.position, text)

    def _elements(self, node: Fold, over: Type) -> tuple[Type, Type]:
        if over.kind == "list":
            return types.INT, over.params[0]
        if over.kind == "map":
            return over.params[0], over.params[1]
        if over.kind != "dyn":
            self._report(
                node.range.position,
                f"expression of type '{over}' cannot be range of a comprehension (must be list, map, or dynamic)",
            )
        return DYN, DYN

    def _push(self, names: tuple[str, ...], given: tuple[Type, ...]) -> list[tuple[str, Type | None, int]]:
        shadowed = []
        for name, type_ in zip(names, given, strict=True):
            shadowed.append((name, self._types.get(name), self._slots.get(name, 0)))
            self._types[name], self._slots[name] = type_, self.slots
            self.slots += 1
        return shadowed

    def _pop(self, shadowed: list[tuple[str, Type | None, int]]) -> None:
        for name, type_, slot in reversed(shadowed):
            if type_ is None:
                del self._types[name], self._slots[name]
            else:
                self._types[name], self._slots[name] = type_, slot

    @_check.register
    def _unwrap(self, node: Unwrap) -> Type:
        operand = self.check(node.operand)
        if operand.kind not in ("optional", "dyn"):
            return self._report(node.position, f"found no matching overload for 'hasValue' applied to '{operand}.()'")
        shadowed = self._push((node.variable,), (operand.params[0] if operand.params else DYN,))
        node.slot = self._slots[node.variable]
        body = self.check(node.body)
        self._pop(shadowed)
        return body if node.flat else types.optional_of(body)
