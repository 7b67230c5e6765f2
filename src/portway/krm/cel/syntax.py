"""The tree of an expression, and what is wrong with one."""

from __future__ import annotations

from typing import Any

from portway.krm.cel.types import DYN, Type


class Issue(Exception):
    """A fault at a position of the source."""

    def __init__(self, position: int, text: str) -> None:
        super().__init__(text)
        self.position = position
        self.text = text


class CompileError(ValueError):
    """The text is as cel-go prints its issues: one block per fault, with the line and a caret."""


def report(source: str, issues: list[Issue]) -> CompileError:
    """Issues in order of their position."""
    found = sorted({(issue.position, issue.text) for issue in issues})
    return CompileError("\n".join(_shown(source, position, text) for position, text in found))


def _shown(source: str, position: int, text: str) -> str:
    position = min(position, len(source))
    line_start = source.rfind("\n", 0, position) + 1
    line_end = source.find("\n", position)
    line = source[line_start : line_end if line_end >= 0 else len(source)].replace("\t", " ")
    number, column = source.count("\n", 0, position) + 1, position - line_start
    return f"ERROR: <input>:{number}:{column + 1}: {text}\n | {line}\n | {'.' * column}^"


class Node:
    """``type`` and what follows it are set by the checker."""

    __slots__ = ("position", "type")

    def __init__(self, position: int) -> None:
        self.position = position
        self.type: Type = DYN


class Literal(Node):
    __slots__ = ("value",)

    def __init__(self, position: int, value: Any) -> None:
        super().__init__(position)
        self.value = value


class Ident(Node):
    __slots__ = ("name", "slot", "type_value")

    def __init__(self, position: int, name: str) -> None:
        super().__init__(position)
        self.name = name
        self.slot = 0
        """Where its value stands in a frame."""
        self.type_value: Any = None
        """Set when the name is that of a type."""


class Select(Node):
    __slots__ = ("field", "key", "operand", "optional", "slot", "test", "type_value")

    def __init__(self, position: int, operand: Node, field: str, *, test: bool = False, optional: bool = False) -> None:
        super().__init__(position)
        self.operand = operand
        self.field = field
        self.key = field
        """The field's name in the data, which may differ (``__namespace__``)."""
        self.test = test
        self.optional = optional
        self.slot = 0
        """Set when the whole chain names a variable."""
        self.type_value: Any = None


class Call(Node):
    __slots__ = ("args", "function", "overloads", "target")

    def __init__(self, position: int, function: str, args: list[Node], target: Node | None = None) -> None:
        super().__init__(position)
        self.function = function
        self.args = args
        self.target = target
        self.overloads: list[Any] = []

    @property
    def operands(self) -> list[Node]:
        return [self.target, *self.args] if self.target is not None else self.args


class ListLiteral(Node):
    __slots__ = ("items",)

    def __init__(self, position: int, items: list[tuple[Node, bool]]) -> None:
        super().__init__(position)
        self.items = items
        """Each with whether it is optional (``[?x]``)."""


class MapLiteral(Node):
    __slots__ = ("entries",)

    def __init__(self, position: int, entries: list[tuple[Node, Node, bool]]) -> None:
        super().__init__(position)
        self.entries = entries


class Struct(Node):
    __slots__ = ("fields", "name")

    def __init__(self, position: int, name: str, fields: list[tuple[int, str, Node, bool]]) -> None:
        super().__init__(position)
        self.name = name
        self.fields = fields


class Fold(Node):
    """A macro over a list or map: all, exists, exists_one, map, filter, transformList, transformMap …"""

    __slots__ = ("kind", "predicate", "range", "slots", "transform", "variables")

    def __init__(
        self,
        position: int,
        kind: str,
        over: Node,
        variables: tuple[str, ...],
        *,
        predicate: Node | None,
        transform: Node | None = None,
    ) -> None:
        super().__init__(position)
        self.kind = kind
        self.range = over
        self.variables = variables
        self.predicate = predicate
        self.transform = transform
        self.slots: tuple[int, ...] = ()


class Unwrap(Node):
    """``optMap`` and ``optFlatMap``: the body with the value of an optional, if there is one."""

    __slots__ = ("body", "flat", "operand", "slot", "variable")

    def __init__(self, position: int, operand: Node, variable: str, body: Node, *, flat: bool) -> None:
        super().__init__(position)
        self.operand = operand
        self.variable = variable
        self.body = body
        self.flat = flat
        self.slot = 0


def qualified(node: Node) -> str:
    """``a.b.c`` for a chain of names, else nothing."""
    if isinstance(node, Ident):
        return node.name
    if isinstance(node, Select) and not node.test and not node.optional:
        head = qualified(node.operand)
        return f"{head}.{node.field}" if head else ""
    return ""
