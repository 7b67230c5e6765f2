"""From a schema and values to fields."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import ryaml

from portway.portal.forms.fields import Data, Field, FieldKind, Option, Path, pointer
from portway.portal.forms.schemas import Schema, listing, mapping, resolve, type_of, with_defaults

_ENTITY_PICKERS = frozenset({"OwnerPicker", "EntityPicker", "OwnedEntityPicker", "MyGroupsPicker"})
_MANY_OPTIONS = 60
"""More than that is a text field with suggestions instead of a menu."""
_DEEPEST = 12


class Choices(Protocol):
    """What pickers offer; the portal looks into the catalog."""

    def entities(self, picker: str, options: Mapping[str, Any]) -> list[Option]: ...

    def owners(self) -> list[Option]: ...


@dataclass(frozen=True, slots=True)
class Build:
    """Values and errors (by path) that all fields of a form are made from."""

    choices: Choices
    errors: Mapping[Path, str]


def build(schema: Schema, data: Data, build: Build, path: Path = ()) -> tuple[Field, ...]:
    """The fields of an object schema, in its order."""
    if len(path) > _DEEPEST:
        return ()
    resolved = resolve(schema, data)
    values = with_defaults(resolved, data)
    fields = []
    for name in _order(resolved):
        part = resolved["properties"][name]
        if isinstance(part, dict) and not _hidden(part):
            field_schema = {**part, "ui:required": name in resolved["required"]}
            fields.append(_field(field_schema, values.get(name), (*path, name), build))
    return tuple(fields)


def _hidden(schema: Schema) -> bool:
    return schema.get("ui:widget") == "hidden" or mapping(schema.get("ui:options")).get("widget") == "hidden"


def _order(schema: Schema) -> list[str]:
    names = list(schema["properties"])
    wanted = [name for name in listing(schema.get("ui:order")) if isinstance(name, str)]
    if not wanted:
        return names
    rest = [name for name in names if name not in wanted]
    head = wanted[: wanted.index("*")] if "*" in wanted else wanted
    tail = wanted[wanted.index("*") + 1 :] if "*" in wanted else []
    return [name for name in (*head, *rest, *tail) if name in schema["properties"]]


def _field(schema: Schema, value: Any, path: Path, build: Build) -> Field:
    picker, kind = schema.get("ui:field"), type_of(schema)
    if picker == "RepoUrlPicker":
        return _repository(schema, value, path, build)
    if picker == "EntityTagsPicker":
        text = ", ".join(str(tag) for tag in listing(value))
        return _made(FieldKind.TAGS, "t", schema, path, build, text=text, placeholder="python, team-x")
    if picker in _ENTITY_PICKERS and kind != "object":
        return _entity(str(picker), schema, value, path, build)
    if picker == "MultiEntityPicker":
        chosen = {str(v) for v in listing(value)}
        found = [
            o._replace(value=_json(o.value), chosen=o.value in chosen)
            for o in build.choices.entities(picker, _options(schema))
        ]
        return _made(FieldKind.CHECKBOXES, "m", schema, path, build, options=tuple(found))
    if "enum" in schema or _titled_choices(schema):
        return _choice(schema, value, path, build)
    makers = {"object": _object, "array": _array, "boolean": _boolean, "null": _note}
    return makers.get(kind, _text)(schema, value, path, build)


def _text(schema: Schema, value: Any, path: Path, build: Build) -> Field:
    kind, widget = type_of(schema), _widget(schema)
    if kind in ("integer", "number"):
        step = "1" if kind == "integer" else "any"
        return _made(FieldKind.NUMBER, "n", schema, path, build, text=_shown(value), step=step)
    if kind == "any" or not isinstance(value, (str, int, float, type(None))):
        return _made(FieldKind.YAML, "y", schema, path, build, text=_yaml(value))
    shape = FieldKind.TEXT
    if widget == "password" or schema.get("ui:field") == "Secret" or schema.get("format") == "password":
        shape = FieldKind.PASSWORD
    elif widget == "textarea" or schema.get("ui:field") == "MultilineText" or "\n" in _shown(value):
        shape = FieldKind.TEXTAREA
    suggestions = tuple(Option(str(e), str(e)) for e in listing(schema.get("examples")))
    if suggestions and shape is FieldKind.TEXT:
        return _made(FieldKind.SUGGESTED, "s", schema, path, build, text=_shown(value), options=suggestions)
    return _made(shape, "s", schema, path, build, text=_shown(value))


def _boolean(schema: Schema, value: Any, path: Path, build: Build) -> Field:
    if _widget(schema) in ("radio", "select"):
        return _choice(
            {**schema, "enum": [True, False], "enumNames": schema.get("enumNames") or ["Yes", "No"]}, value, path, build
        )
    return _made(FieldKind.BOOLEAN, "b", schema, path, build, checked=value is True)


def _note(schema: Schema, value: Any, path: Path, build: Build) -> Field:  # noqa: ARG001  one signature for all
    return _made(FieldKind.NOTE, "", schema, path, build)


def _choice(schema: Schema, value: Any, path: Path, build: Build) -> Field:
    pairs = _titled_choices(schema) or list(zip(schema["enum"], _names(schema), strict=False))
    options = [Option(_json(v), label, v == value and type(v) is type(value)) for v, label in pairs]
    shape = FieldKind.RADIO if _widget(schema) == "radio" and len(options) <= 8 else FieldKind.SELECT
    return _made(shape, "e", schema, path, build, options=tuple(options))


def _names(schema: Schema) -> list[str]:
    names = schema.get("enumNames") or schema.get("ui:enumNames") or mapping(schema.get("ui:options")).get("enumNames")
    values = schema["enum"]
    if isinstance(names, list) and len(names) == len(values):
        return [str(name) for name in names]
    return ["none" if value is None else _shown(value) for value in values]


def _titled_choices(schema: Schema) -> list[tuple[Any, str]]:
    """``oneOf: [{const, title}]``: the other way to write an enumeration."""
    for key in ("oneOf", "anyOf"):
        branches = listing(schema.get(key))
        if branches and all(isinstance(b, dict) and "const" in b for b in branches):
            return [(b["const"], str(b.get("title") or b["const"])) for b in branches]
    return []


def _object(schema: Schema, value: Any, path: Path, made: Build) -> Field:
    children = build(schema, mapping(value), made, path)
    if not children:
        text = "" if not value else _yaml(value)
        return _made(FieldKind.YAML, "y", schema, path, made, text=text, placeholder="key: value")
    return _made(FieldKind.OBJECT, "", schema, path, made, children=children)


def _array(schema: Schema, value: Any, path: Path, build: Build) -> Field:
    items = mapping(schema.get("items"))
    values = listing(value)
    if items.get("enum"):
        names = _names(items)
        options = tuple(Option(_json(v), n, v in values) for v, n in zip(items["enum"], names, strict=True))
        return _made(FieldKind.CHECKBOXES, "m", schema, path, build, options=options)
    if not items:
        return _made(
            FieldKind.YAML, "y", schema, path, build, text=_yaml(value) if values else "", placeholder="- first"
        )
    children = tuple(
        _field({"title": f"{index + 1}", **items}, v, (*path, index), build) for index, v in enumerate(values)
    )
    return _made(FieldKind.LIST, "l", schema, path, build, children=children)


def _entity(picker: str, schema: Schema, value: Any, path: Path, build: Build) -> Field:
    options = _options(schema)
    found = build.choices.entities(picker, options)
    text = _shown(value)
    if len(found) > _MANY_OPTIONS or not found:
        return _made(FieldKind.SUGGESTED, "s", schema, path, build, text=text, options=tuple(found[:500]))
    offered = [o._replace(value=_json(o.value), chosen=o.value == text) for o in found]
    if text and not any(o.chosen for o in offered):
        offered.append(Option(_json(text), text, True))
    return _made(FieldKind.SELECT, "e", schema, path, build, options=tuple(offered))


def _repository(schema: Schema, value: Any, path: Path, build: Build) -> Field:
    hosts = [h for h in listing(_options(schema).get("allowedHosts")) if isinstance(h, str)] or ["portway"]
    host, _, query = _shown(value).partition("?")
    parts = dict(pair.partition("=")[::2] for pair in query.split("&"))
    options = tuple(Option(_json(h), h, h == host) for h in hosts)
    named = {"host": "Host", "owner": "Owner", "repo": "Repository"}
    children = tuple(
        Field(
            FieldKind.SELECT if part == "host" else FieldKind.TEXT,
            (*path, part),
            label,
            f"r:{pointer((*path, part))}",
            text=parts.get(part, ""),
            options=options if part == "host" else (),
        )
        for part, label in named.items()
    )
    return _made(FieldKind.REPOSITORY, "", schema, path, build, children=children)


def _made(kind: FieldKind, tag: str, schema: Schema, path: Path, build: Build, **rest: Any) -> Field:
    title = schema.get("title")
    most = schema.get("maxLength")
    rest.setdefault("placeholder", str(schema.get("ui:placeholder") or _options(schema).get("placeholder") or ""))
    return Field(
        kind=kind,
        path=path,
        label=title if isinstance(title, str) and title else humanised(str(path[-1])),
        name=f"{tag}:{pointer(path)}" if tag else "",
        help=str(schema.get("description") or schema.get("ui:help") or ""),
        required=bool(schema.get("ui:required")),
        error=build.errors.get(path, ""),
        most=most if isinstance(most, int) else None,
        autofocus=bool(schema.get("ui:autofocus")),
        readonly=bool(schema.get("readOnly") or schema.get("ui:readonly") or schema.get("ui:disabled")),
        **rest,
    )


def humanised(name: str) -> str:
    """``component_id`` and ``componentId`` as ``Component id``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-]+", " ", name).strip()
    return (words[:1].upper() + words[1:].lower()) if words else name


def _options(schema: Schema) -> dict[str, Any]:
    return mapping(schema.get("ui:options"))


def _widget(schema: Schema) -> str:
    return str(schema.get("ui:widget") or _options(schema).get("widget") or "")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _yaml(value: Any) -> str:
    return "" if value is None else str(ryaml.dumps(value))  # type: ignore[attr-defined]  # its stub does not re-export
