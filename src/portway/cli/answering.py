"""Values for a JSON Schema: from ``--set key=value`` flags, defaults, and questions on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import typer

from portway.cli.errors import CommandError
from portway.scaffolder import parameters
from portway.scaffolder.templates import Problem, Template

_WORDS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
Pages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """JSON Schemas, one a page. ``suggested`` are values to choose from, by field."""

    pages: Pages
    suggested: Mapping[str, Sequence[str]] = field(default_factory=dict)


def may_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def ask_text(title: str, default: str = "") -> str:
    """A question, on the standard error so that results stay parseable."""
    return str(typer.prompt(title, default=default or None, err=True))


def parse_flags(flags: Sequence[str]) -> dict[str, Any]:
    """``--set a.b=1`` pairs as nested values; a value that is JSON keeps its type. Raises CommandError."""
    values: dict[str, Any] = {}
    for flag in flags:
        key, equals, text = flag.partition("=")
        *parents, last = key.split(".")
        if not equals or not last or not all(parents):
            raise CommandError(f"--set {flag}: expected name=value.")
        place = values
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise CommandError(f"--set {flag}: {parent} has a value already.")
        place[last] = _value(text)
    return values


def complete(form: Form, given: Mapping[str, Any], *, ask: bool) -> dict[str, Any]:
    """All values of a form: given ones, then answers (on a terminal, when ``ask``), then defaults.

    Raises CommandError naming each field that is missing or wrong.
    """
    values = dict(given)
    _refuse_unknown(form.pages, values)
    for page in form.pages:
        required = page.get("required") or ()
        for name, schema in (page.get("properties") or {}).items():
            if name in values:
                values[name] = _coerced(schema, values[name])
            elif ask and may_ask():
                _ask(name, schema, form.suggested.get(name, ()), name in required, values)
            elif "default" in schema:
                values[name] = schema["default"]
    faults = [_sentence(problem) for problem in parameters.check(_template(form.pages), values)]
    if faults:
        raise CommandError("; ".join(dict.fromkeys(faults)) + ". Give values with --set name=value.")
    return values


def _template(pages: Pages) -> Template:
    return Template(tuple(pages), ())


def _sentence(problem: Problem) -> str:
    name = ".".join(str(part) for part in problem.path[1:])
    return f"{name}: {problem.message}" if name else problem.message


def _refuse_unknown(pages: Pages, values: Mapping[str, Any]) -> None:
    known = [name for page in pages for name in page.get("properties") or {}]
    dynamic = any(key in page for page in pages for key in ("dependencies", "allOf", "oneOf", "anyOf", "if"))
    unknown = [name for name in values if name not in known]
    if unknown and not dynamic:
        raise CommandError(f"There is no field {', '.join(unknown)}; there are {', '.join(known) or 'none'}.")


def _coerced(schema: Mapping[str, Any], value: Any) -> Any:
    kind = schema.get("type")
    if kind == "string" and not isinstance(value, str):
        return orjson.dumps(value).decode()  # --set version=18 means the text
    if kind == "boolean" and isinstance(value, str):
        return _WORDS.get(value.lower(), value)
    return value


def _ask(
    name: str, schema: Mapping[str, Any], suggested: Sequence[str], required: bool, values: dict[str, Any]
) -> None:
    title = str(schema.get("title") or name)
    if schema.get("description"):
        typer.secho(f"  {schema['description']}", dim=True, err=True)
    default = schema.get("default")
    if schema.get("type") == "boolean":
        values[name] = typer.confirm(title, default=bool(default), err=True)
        return
    choices = [str(choice) for choice in schema.get("enum") or suggested]
    if choices:
        title += f" ({', '.join(choices)})"
    while True:
        shown = "" if default is None else str(default)
        answer = typer.prompt(title, default=shown, show_default=bool(shown), err=True)
        if answer == "" and not required:
            return
        fault = "A value is needed." if answer == "" else _take(name, schema, answer, values)
        if not fault:
            return
        typer.secho(f"  {fault}", fg="yellow", err=True)


def _take(name: str, schema: Mapping[str, Any], answer: str, values: dict[str, Any]) -> str:
    """Keep the answer, or say what is wrong with it."""
    value = answer if schema.get("type", "string") == "string" else _coerced(schema, _value(answer))
    page = {"properties": {name: schema}}
    for problem in parameters.check(_template([page]), {name: value}):
        return str(problem.message)
    values[name] = value
    return ""


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
