"""From text to tokens. Grammar: cel-spec doc/langdef.md."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from portway.krm.cel.syntax import Issue
from portway.krm.cel.values import INT_MAX, INT_MIN, Uint


class Token(NamedTuple):
    kind: str
    """``ident``, ``literal``, ``end`` or the sign itself."""
    text: str
    position: int
    value: Any = None


_TOKENS = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+|//[^\n]*)
  | (?P<string>[bB]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*'))
  | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<int>0x[0-9a-fA-F]+[uU]?|\d+[uU]?)
  | (?P<ident>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>==|!=|<=|>=|&&|\|\||[\[\]{}().,?:<>!+\-*/%])
    """,
    re.VERBOSE | re.DOTALL,
)
_RAW = re.compile(r"[rR][bB]?(\"\"\".*?\"\"\"|'''.*?'''|\"[^\"\n\r]*\"|'[^'\n\r]*')", re.DOTALL)
_CONSTANTS = {"true": True, "false": False, "null": None}
_ESCAPES = {
    **{"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"},
    **{char: char for char in "\\\"'`?"},
}
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.S
)


def tokens(source: str) -> list[Token]:
    """Raises Issue."""
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = _RAW.match(source, at) or _TOKENS.match(source, at)
        if match is None:
            raise Issue(at, f"Syntax error: token recognition error at: '{source[at]}'")
        kind, text = match.lastgroup, match.group()
        if match.re is _RAW:
            kind = "string"
        if kind != "space":
            found.append(_token(kind or "", text, at))
        at = match.end()
    found.append(Token("end", "<EOF>", len(source)))
    return found


def _token(kind: str, text: str, at: int) -> Token:
    if kind == "string":
        return Token("literal", text, at, _string(text, at))
    if kind == "float":
        return Token("literal", text, at, float(text))
    if kind == "int":
        return Token("literal", text, at, _integer(text, at))
    if kind == "ident" and text in _CONSTANTS:
        return Token("literal", text, at, _CONSTANTS[text])
    if kind == "ident" and text != "in":
        return Token("ident", text, at)
    return Token(text, text, at)


def _integer(text: str, at: int) -> int:
    digits = text.rstrip("uU")
    value = int(digits, 16 if digits[:2] == "0x" else 10)
    if digits != text:
        if value >= 1 << 64:
            raise Issue(at, "invalid uint literal")
        return Uint(value)
    if value > INT_MAX + 1:  # one more, for the least integer is written with a minus
        raise Issue(at, "invalid int literal")
    return value


def in_range(value: int) -> bool:
    return INT_MIN <= value <= INT_MAX


def _string(text: str, at: int) -> str | bytes:
    quote = min(index for index in (text.find('"'), text.find("'")) if index >= 0)
    prefix, body = text[:quote].lower(), text[quote:]
    width = 3 if body[:3] in ('"""', "'''") and len(body) >= 6 else 1
    body = body[width:-width]
    if "b" in prefix:
        return body.encode() if "r" in prefix else _bytes(body, at)
    return body if "r" in prefix else _ESCAPE.sub(lambda match: _escaped(match, at), body)


def _bytes(body: str, at: int) -> bytes:
    parts, last = [], 0
    for match in _ESCAPE.finditer(body):
        parts.append(body[last : match.start()].encode())
        code = match[1] or match[2]
        if code:
            parts.append(bytes([int(code, 16)]))
        elif match[5]:
            parts.append(bytes([int(match[5], 8)]))
        else:
            parts.append(_escaped(match, at).encode())
        last = match.end()
    return b"".join([*parts, body[last:].encode()])


def _escaped(match: re.Match[str], at: int) -> str:
    code = match[1] or match[2] or match[3] or match[4]
    if code:
        number = int(code, 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise Issue(at, f"unable to unescape string: {match.group()}")
        return chr(number)
    if match[5]:
        return chr(int(match[5], 8))
    if match[6] not in _ESCAPES:
        raise Issue(at, f"Syntax error: token recognition error at: '{match.group()}'")
    return _ESCAPES[match[6]]
