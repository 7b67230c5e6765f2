"""``${{ … }}`` and ``{% … %}`` in templates: Nunjucks as Backstage uses it, on Jinja's sandbox.

Mappings have items and no methods, text and lists have a short list of methods (JavaScript's and Python's names);
work and output are bounded. A string that is one expression keeps the type of its value; one that is undefined makes
its key absent.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from portway.scaffolder import filters

_LONGEST = 1_000_000
"""Characters of one result."""
_MOST_TURNS = 10_000
_LARGEST_EXPONENT = 64
_TAG = re.compile(r"(\$\{\{.*?\}\}|\{%.*?%\})", re.S)
_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_PAIRS = re.compile(r"^(\{%-?\s*for\s+\w+\s*,\s*\w+\s+in\s+)(.+?)(\s*-?%\})$", re.S)
_METHODS = {
    "toLowerCase": "lower", "toUpperCase": "upper", "trim": "strip", "startsWith": "startswith",
    "endsWith": "endswith", "indexOf": "find",
    **{name: name for name in ("lower", "upper", "strip", "startswith", "endswith", "find", "split", "title")},
}  # fmt: skip


class ExpressionError(Exception):
    """An expression that cannot be read or worked out; the message names it."""


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and (abs(left) > _LONGEST or abs(right) > _LARGEST_EXPONENT):
            raise ExpressionError(f"{left} ** {right} is too large")
        if operator == "%" and isinstance(left, str):
            raise ExpressionError("text with % is not supported; use ~ to join")
        if operator == "*":
            _check_product(left, right)
        if operator == "+" and isinstance(left, str) != isinstance(right, str):
            left, right = finalize(left), finalize(right)  # as JavaScript does
        return _bounded(super().call_binop(context, operator, left, right))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            return len(obj) if attribute == "length" else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, str | list | tuple):
            return self._of_sequence(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)

    def _of_sequence(self, obj: Any, attribute: str) -> Any:
        if attribute == "length":
            return len(obj)
        if attribute == "includes":
            return lambda wanted: wanted in obj
        if attribute == "join" and not isinstance(obj, str):
            return lambda separator=",": str(separator).join(map(finalize, obj))
        if attribute == "replace" and isinstance(obj, str):
            return lambda old, new: _replaced(obj, str(old), str(new), 1)
        if isinstance(obj, str) and attribute in _METHODS:
            return getattr(obj, _METHODS[attribute])
        return self.undefined(obj=obj, name=attribute)


def finalize(value: Any) -> str:
    """A value inside text, written as JavaScript would."""
    if value is None or isinstance(value, jinja2.Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(map(finalize, value))
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def environment(*, trim_blocks: bool = False, lstrip_blocks: bool = False, variable_start: str = "${{") -> _Environment:
    """``variable_start`` is ``{{`` for cookiecutter's templates."""
    made = _Environment(
        variable_start_string=variable_start,
        trim_blocks=trim_blocks,
        lstrip_blocks=lstrip_blocks,
        keep_trailing_newline=True,
        undefined=jinja2.ChainableUndefined,
        finalize=finalize,
        autoescape=False,
    )
    made.globals = {"range": _range, "null": None, "undefined": None}
    made.filters |= filters.FILTERS
    made.filters["replace"] = _replace_filter
    for name in ("center", "format", "indent", "wordwrap", "xmlattr", "pprint", "attr", "map"):
        made.filters.pop(name, None)
    made.filters["indent"] = lambda text, width=4, first=False: _indented(str(text), int(width), bool(first))
    return made


@functools.cache
def _shared() -> _Environment:
    return environment()


def render(text: str, context: Mapping[str, Any], using: _Environment | None = None) -> str:
    """Text with all its tags worked out. Raises ``ExpressionError``."""
    if "${{" not in text and "{%" not in text and "{#" not in text and using is None:
        return text
    try:
        return str(_bounded((using or _shared()).from_string(translate(text)).render(context)))
    except ExpressionError:
        raise
    except filters.FilterError as error:
        raise ExpressionError(str(error)) from error
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
        raise ExpressionError(f"{_shown(text)}: {error}") from error


def evaluate(text: str, context: Mapping[str, Any]) -> Any:
    """Value of a string: of the one expression it is, else its rendered text. Undefined is jinja2.Undefined."""
    expression = _sole(text)
    if expression is None:
        return render(text, context)
    try:
        compiled = _shared().compile_expression(_words(expression), undefined_to_none=False)
        return _bounded(compiled(**context))
    except ExpressionError:
        raise
    except filters.FilterError as error:
        raise ExpressionError(str(error)) from error
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
        raise ExpressionError(f"{_shown(text)}: {error}") from error


def resolve(value: Any, context: Mapping[str, Any]) -> Any:
    """A nested value with all its strings worked out; undefined entries are left out. Keys are worked out, too."""
    if isinstance(value, str):
        found = evaluate(value, context)
        return None if isinstance(found, jinja2.Undefined) else found
    if isinstance(value, Mapping):
        done = {key: _entry(child, context) for key, child in value.items()}
        return {render(str(k), context): v for k, v in done.items() if not isinstance(v, jinja2.Undefined)}
    if isinstance(value, list | tuple):
        return [resolve(child, context) for child in value]
    return value


def is_true(condition: Any, context: Mapping[str, Any]) -> bool:
    """False are: false, undefined, null, "", 0 and []."""
    value = evaluate(condition, context) if isinstance(condition, str) else condition
    if isinstance(value, jinja2.Undefined) or value is None:
        return False
    return bool(value) or isinstance(value, Mapping)


def translate(text: str) -> str:
    """Nunjucks' words that Jinja lacks: ===, !==, elseif, ``for key, value in <mapping>``."""
    return _TAG.sub(lambda match: _translated(match[0]), text)


def _entry(value: Any, context: Mapping[str, Any]) -> Any:
    return evaluate(value, context) if isinstance(value, str) else resolve(value, context)


def _translated(tag: str) -> str:
    if tag.startswith("{%"):
        tag = re.sub(r"^(\{%-?\s*)elseif\b", r"\1elif", tag)
        if match := _PAIRS.match(tag):
            tag = f"{match[1]}({match[2]})|pairs{match[3]}"
    return _words(tag)


def _words(code: str) -> str:
    parts = _QUOTED.split(code)
    parts[::2] = [part.replace("!==", "!=").replace("===", "==") for part in parts[::2]]
    return "".join(parts)


def _sole(text: str) -> str | None:
    stripped = text.strip()
    if not stripped.startswith("${{") or not stripped.endswith("}}") or stripped.count("${{") != 1:
        return None
    inner = stripped[3:-2].strip().removeprefix("-").removesuffix("-")
    return inner.strip() if "}}" not in _QUOTED.sub("", inner) else None


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:77] + "…"


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        raise ExpressionError(f"the result has {len(value)} characters; at most {_LONGEST} are allowed")
    if isinstance(value, list | tuple | dict) and len(value) > _LONGEST:
        raise ExpressionError(f"the result has {len(value)} entries; at most {_LONGEST} are allowed")
    return value


def _check_product(left: Any, right: Any) -> None:
    for many, times in ((left, right), (right, left)):
        if isinstance(many, str | list | tuple) and isinstance(times, int) and len(many) * times > _LONGEST:
            raise ExpressionError(f"the result would have {len(many) * times} parts; at most {_LONGEST} are allowed")


def _range(*bounds: int) -> range:
    turns = range(*bounds)
    if len(turns) > _MOST_TURNS:
        raise ExpressionError(f"range of {len(turns)} is too long; at most {_MOST_TURNS} are allowed")
    return turns


def _replaced(text: str, old: str, new: str, count: int) -> str:
    times = text.count(old) if count < 0 else min(text.count(old), count)
    if len(text) + times * len(new) > _LONGEST:
        raise ExpressionError(f"the result of replace would be longer than {_LONGEST} characters")
    return text.replace(old, new, count)


def _replace_filter(text: Any, old: Any, new: Any, count: int | None = None) -> str:
    return _replaced(finalize(text), str(old), str(new), -1 if count is None else count)


def _indented(text: str, width: int, first: bool) -> str:
    margin = " " * max(0, min(width, 200))
    lines = text.split("\n")
    done = [line if not line or (i == 0 and not first) else margin + line for i, line in enumerate(lines)]
    return str(_bounded("\n".join(done)))
