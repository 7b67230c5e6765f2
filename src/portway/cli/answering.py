"""Values for a JSON Schema: from ``--set key=value`` flags, defaults, and questions on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema_rs
import orjson
import typer

from portway.cli.errors import CommandError


def parse_flags(flags: Sequence[str]) -> dict[str, Any]:
    """``--set a.b=1`` pairs as nested values; a value that is JSON keeps its type. Raises CommandError."""
    values: dict[str, Any] = {}
    for flag in flags:
        key, equals, text = flag.partition("=")
        if not equals or not key:
            raise CommandError(f"--set {flag}: expected key=value.")
        place = values
        *parents, last = key.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise CommandError(f"--set {flag}: {parent} has a value already.")
        place[last] = _value(text)
    return values


def complete(pages: Sequence[Mapping[str, Any]], given: Mapping[str, Any], *, ask: bool) -> dict[str, Any]:
    """All values of a form: given ones, then answers (on a terminal, when ``ask``), then defaults.

    Raises CommandError naming each field that is missing or wrong.
    """
    values = dict(given)
    may_ask = ask and sys.stdin.isatty()
    for page in pages:
        required = page.get("required") or ()
        for name, schema in (page.get("properties") or {}).items():
            values.update(_coerced(name, schema, values))
            if name in values:
                continue
            if may_ask:
                _ask(name, schema, name in required, values)
            elif "default" in schema:
                values[name] = schema["default"]
    _check(pages, values)
    return values


def _coerced(name: str, schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "string" and name in values and not isinstance(values[name], str):
        return {name: orjson.dumps(values[name]).decode()}  # --set version=18 means the text
    return {}


def _ask(name: str, schema: Mapping[str, Any], required: bool, values: dict[str, Any]) -> None:
    title = str(schema.get("title") or name)
    if schema.get("description"):
        typer.secho(f"  {schema['description']}", dim=True)
    default = schema.get("default")
    if schema.get("type") == "boolean":
        values[name] = typer.confirm(title, default=bool(default))
        return
    if schema.get("enum"):
        title += " (" + ", ".join(str(v) for v in schema["enum"]) + ")"
    while True:
        answer = typer.prompt(title, default="" if default is None else str(default), show_default=default is not None)
        if answer == "":
            if required:
                typer.secho("  A value is needed.", fg="yellow")
                continue
            return
        value = answer if schema.get("type", "string") == "string" else _value(answer)
        fault = next(iter(_faults(schema, value)), None)
        if fault is None:
            values[name] = value
            return
        typer.secho(f"  {fault}", fg="yellow")


def _check(pages: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> None:
    faults: list[str] = []
    for page in pages:
        plain = {k: v for k, v in page.items() if not k.startswith("ui:")}
        own = {k: v for k, v in values.items() if k in (page.get("properties") or {})}
        faults += _faults({"type": "object", **plain}, own)
    known = {name for page in pages for name in page.get("properties") or {}}
    dynamic = any(key in page for page in pages for key in ("dependencies", "allOf", "oneOf", "anyOf", "if"))
    if not dynamic:
        faults += [f"{name}: there is no such field" for name in values if name not in known]
    if faults:
        raise CommandError("; ".join(faults) + ". Give values with --set name=value.")


def _faults(schema: Mapping[str, Any], value: Any) -> list[str]:
    try:
        validator = jsonschema_rs.validator_for(dict(schema))
    except (ValueError, jsonschema_rs.ValidationError) as error:
        return [f"the form itself is wrong: {error}".splitlines()[0]]
    found = []
    for fault in validator.iter_errors(value):
        field = ".".join(str(part) for part in fault.instance_path)
        found.append(f"{field}: {fault.message}" if field else fault.message)
    return found


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
