"""How a function is declared: ``declare("startsWith", "string.(string) bool", str.startswith)``.

A signature is ``target.(args) result`` for member functions, ``(args) result`` for others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portway.krm.cel import types
from portway.krm.cel.types import Type
from portway.krm.cel.values import fits

Test = Callable[[Any], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Overload:
    args: tuple[Type, ...]
    """With the target first."""
    result: Type
    call: Callable[..., Any]
    member: bool
    tests: tuple[Test | None, ...]

    def accepts(self, values: tuple[Any, ...]) -> bool:
        return all(test is None or test(value) for test, value in zip(self.tests, values, strict=True))


Functions = dict[str, list[Overload]]


def overload(signature: str, call: Callable[..., Any]) -> Overload:
    head, _, result = _parts(signature)
    target, _, listed = head.partition(".(") if not head.startswith("(") else ("", "", head[1:])
    texts = [*([target] if target else []), *types.split(listed[:-1])]
    args = tuple(types.parse(text) for text in texts)
    return Overload(args, types.parse(result), call, bool(target), tuple(fits(arg) for arg in args))


def _parts(signature: str) -> tuple[str, str, str]:
    depth = 0
    for index, char in enumerate(signature):
        depth += (char == "(") - (char == ")")
        if char == " " and not depth and signature[index - 1] == ")":
            return signature[:index], " ", signature[index + 1 :]
    raise ValueError(f"{signature!r} is not a signature: expected arguments in parentheses, then the result")


class Library:
    """Collects declarations; ``functions`` maps names to overloads."""

    def __init__(self) -> None:
        self.functions: Functions = {}

    def declare(self, name: str, signature: str, call: Callable[..., Any]) -> None:
        self.functions.setdefault(name, []).append(overload(signature, call))


def merged(*libraries: Library) -> Functions:
    found: Functions = {}
    for library in libraries:
        for name, overloads in library.functions.items():
            found.setdefault(name, []).extend(overloads)
    return found
