"""From tokens to the tree; macros become ``Fold`` and ``Unwrap`` here."""

from __future__ import annotations

from collections.abc import Callable

from portway.krm.cel import lexing
from portway.krm.cel.lexing import Token
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

_RESERVED = frozenset(
    (
        *(
            "as",
            "break",
            "const",
            "continue",
            "else",
            "for",
            "function",
        ),
        *(
            "if",
            "import",
            "let",
            "loop",
            "package",
            "namespace",
            "return",
        ),
        *(
            "var",
            "void",
            "while",
        ),
    )
)
_RELATIONS = {"==": "_==_", "!=": "_!=_", "<": "_<_", "<=": "_<=_", ">": "_>_", ">=": "_>=_", "in": "@in"}
_PRIMARY = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)
_SUMS = {"+": "_+_", "-": "_-_"}
_PRODUCTS = {"*": "_*_", "/": "_/_", "%": "_%_"}
DEPTH_LIMIT = 40
"""Of parentheses and the like; Python's own stack has room for no more."""
SIZE_LIMIT = 100_000


def parse(source: str) -> Node:
    """Raises Issue."""
    if len(source) > SIZE_LIMIT:
        raise Issue(0, f"expression code point size exceeds limit: size: {len(source)}, limit {SIZE_LIMIT}")
    parser = _Parser(lexing.tokens(source))
    node = parser.expression()
    parser.finish()
    return node


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _accept(self, sign: str) -> Token | None:
        return self._take() if self._next.kind == sign else None

    def _expect(self, sign: str) -> Token:
        if self._next.kind != sign:
            raise self._unexpected(f"'{sign}'")
        return self._take()

    def _unexpected(self, expected: str) -> Issue:
        shown = self._next.text
        if self._next.kind in ("end", "ident", "literal"):
            return Issue(self._next.position, f"Syntax error: mismatched input '{shown}' expecting {expected}")
        return Issue(self._next.position, f"Syntax error: extraneous input '{shown}' expecting {expected}")

    def finish(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected("<EOF>")

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise Issue(self._next.position, f"expression recursion limit exceeded: {DEPTH_LIMIT}")
        node = self._or()
        if sign := self._accept("?"):
            yes = self._or()
            self._expect(":")
            node = Call(sign.position, "_?_:_", [node, yes, self.expression()])
        self._depth -= 1
        return node

    def _or(self) -> Node:
        return self._logical("||", "_||_", self._and)

    def _and(self) -> Node:
        return self._logical("&&", "_&&_", self._relation)

    def _logical(self, sign: str, function: str, operand: Callable[[], Node]) -> Node:
        """A balanced tree, so that long chains do not nest deeply."""
        terms, signs = [operand()], []
        while found := self._accept(sign):
            signs.append(found.position)
            terms.append(operand())

        def balanced(low: int, high: int) -> Node:
            if low == high:
                return terms[low]
            middle = (low + high) // 2
            return Call(signs[middle], function, [balanced(low, middle), balanced(middle + 1, high)])

        return balanced(0, len(terms) - 1)

    def _relation(self) -> Node:
        return self._chain(_RELATIONS, lambda: self._chain(_SUMS, lambda: self._chain(_PRODUCTS, self._unary)))

    def _chain(self, signs: dict[str, str], operand: Callable[[], Node]) -> Node:
        node = operand()
        while self._next.kind in signs:
            sign = self._take()
            node = Call(sign.position, signs[sign.kind], [node, operand()])
        return node

    def _unary(self) -> Node:
        sign = self._next
        if sign.kind not in ("!", "-"):
            return self._member(self._primary())
        self._take()
        count = 1
        while self._accept(sign.kind):
            count += 1
        literal = self._next
        if sign.kind == "-" and literal.kind == "literal" and type(literal.value) in (int, float):
            self._take()
            node: Node = self._member(Literal(sign.position, -literal.value))
            count -= 1
        else:
            node = self._member(self._primary())
        if isinstance(node, Literal) and type(node.value) is int and not lexing.in_range(node.value):
            raise Issue(node.position, "invalid int literal")
        function = "!_" if sign.kind == "!" else "-_"
        return Call(sign.position, function, [node]) if count % 2 else node

    def _member(self, node: Node) -> Node:
        while True:
            if sign := self._accept("."):
                node = self._selected(node, sign)
            elif sign := self._accept("["):
                optional = self._accept("?") is not None
                index = self.expression()
                self._expect("]")
                node = Call(sign.position, "_[?_]" if optional else "_[_]", [node, index])
            elif self._next.kind == "{" and (name := qualified(node)):
                node = self._struct(name)
            else:
                return node

    def _selected(self, node: Node, sign: Token) -> Node:
        optional = self._accept("?") is not None
        name = self._take()
        if name.kind not in ("ident", "in") or name.text in ("true", "false", "null"):
            self._at -= 1
            raise self._unexpected("IDENTIFIER")
        if not optional and (paren := self._accept("(")):
            return self._call(node, name.text, paren.position)
        return Select(sign.position, node, name.text, optional=optional)

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "literal":
            if type(token.value) is int and not lexing.in_range(token.value):
                raise Issue(token.position, "invalid int literal")
            return Literal(token.position, token.value)
        if token.kind == "(":
            node = self.expression()
            self._expect(")")
            return node
        if token.kind == "[":
            return self._list(token.position)
        if token.kind == "{":
            return self._map(token.position)
        if token.kind == "." and self._next.kind == "ident":
            token = self._take()
        if token.kind == "ident":
            return self._named(token)
        self._at -= 1
        raise self._unexpected(_PRIMARY)

    def _named(self, token: Token) -> Node:
        if paren := self._accept("("):
            return self._global(token.text, paren.position)
        if token.text in _RESERVED:
            raise Issue(token.position, f"reserved identifier: {token.text}")
        return Ident(token.position, token.text)

    def _list(self, position: int) -> Node:
        items = []
        while self._next.kind != "]":
            optional = self._accept("?") is not None
            items.append((self.expression(), optional))
            if not self._accept(","):
                break
        self._expect("]")
        return ListLiteral(position, items)

    def _map(self, position: int) -> Node:
        entries = []
        while self._next.kind != "}":
            optional = self._accept("?") is not None
            key = self.expression()
            self._expect(":")
            entries.append((key, self.expression(), optional))
            if not self._accept(","):
                break
        self._expect("}")
        return MapLiteral(position, entries)

    def _struct(self, name: str) -> Node:
        position = self._expect("{").position
        fields = []
        while self._next.kind != "}":
            optional = self._accept("?") is not None
            field = self._expect("ident")
            self._expect(":")
            fields.append((field.position, field.text, self.expression(), optional))
            if not self._accept(","):
                break
        self._expect("}")
        return Struct(position, name, fields)

    def _arguments(self) -> list[Node]:
        found: list[Node] = []
        if self._accept(")"):
            return found
        found.append(self.expression())
        while self._accept(","):
            found.append(self.expression())
        self._expect(")")
        return found

    def _global(self, name: str, position: int) -> Node:
        args = self._arguments()
        if name == "has" and len(args) == 1:
            asked = args[0]
            if not isinstance(asked, Select) or asked.test:
                raise Issue(position, "invalid argument to has() macro")
            return Select(asked.position, asked.operand, asked.field, test=True, optional=asked.optional)
        return Call(position, name, args)

    def _call(self, target: Node, name: str, position: int) -> Node:
        args = self._arguments()
        macro = _MACROS.get((name, len(args)))
        return macro(position, name, target, args) if macro else Call(position, name, args, target)


def _variable(node: Node, text: str = "argument must be a simple name") -> str:
    if not isinstance(node, Ident):
        raise Issue(node.position, text)
    return node.name


def _test(position: int, name: str, target: Node, args: list[Node]) -> Node:
    *names, predicate = args
    kind = "exists_one" if name in ("existsOne", "exists_one") else name
    return Fold(position, kind, target, tuple(_variable(n) for n in names), predicate=predicate)


def _map(position: int, _name: str, target: Node, args: list[Node]) -> Node:
    predicate = args[1] if len(args) == 3 else None
    return Fold(
        position,
        "map",
        target,
        (_variable(args[0], "argument is not an identifier"),),
        predicate=predicate,
        transform=args[-1],
    )


def _filter(position: int, _name: str, target: Node, args: list[Node]) -> Node:
    return Fold(position, "filter", target, (_variable(args[0], "argument is not an identifier"),), predicate=args[1])


def _transform(position: int, name: str, target: Node, args: list[Node]) -> Node:
    predicate = args[2] if len(args) == 4 else None
    return Fold(
        position, name, target, (_variable(args[0]), _variable(args[1])), predicate=predicate, transform=args[-1]
    )


def _optional(position: int, name: str, target: Node, args: list[Node]) -> Node:
    variable = _variable(args[0], f"{name}() variable name must be a simple identifier")
    return Unwrap(position, target, variable, args[1], flat=name == "optFlatMap")


_MACROS: dict[tuple[str, int], Callable[[int, str, Node, list[Node]], Node]] = {
    **{(name, 2): _test for name in ("all", "exists", "exists_one", "existsOne")},
    **{(name, 3): _test for name in ("all", "exists", "existsOne")},
    **{("map", 2): _map, ("map", 3): _map, ("filter", 2): _filter},
    **{
        (name, count): _transform for name in ("transformList", "transformMap", "transformMapEntry") for count in (3, 4)
    },
    **{(name, 2): _optional for name in ("optMap", "optFlatMap")},
}
