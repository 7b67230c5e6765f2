"""Objects as a meta.k8s.io/v1 Table, which is what ``kubectl get`` asks for.

Cells follow apiextensions-apiserver's table converter: the first result of a column's path, dates as ages, a text for
type ``string`` and nothing where the value is missing or of another type.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from portway.krm import ages, jsonpaths
from portway.krm.builtins import cells
from portway.krm.identity import Manifest
from portway.krm.served import Column, Served

NONE, METADATA, OBJECT = "None", "Metadata", "Object"
"""Values of the query parameter ``includeObject``."""

_NAME = Column("Name", ".metadata.name", "string", "name", "Name must be unique within a namespace.")
_AGE = Column("Age", ".metadata.creationTimestamp", "date", "", "Time since the object was created.")


def render(
    served: Served,
    objects: Iterable[Manifest],
    *,
    include: str = METADATA,
    metadata: Mapping[str, Any] | None = None,
    now: datetime.datetime | None = None,
) -> Manifest:
    """``metadata`` is the list's own (resourceVersion, continue, remainingItemCount). Watch events have one row."""
    columns = columns_of(served)
    moment = now or datetime.datetime.now(datetime.UTC)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": dict(metadata or {}),
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [_row(columns, manifest, include, moment) for manifest in objects],
    }


def columns_of(served: Served) -> tuple[Column, ...]:
    """Name first unless a built-in kind puts it elsewhere; Age when a resource declares no column."""
    if not served.columns:
        return (_NAME, _AGE)
    if any(column.name == "Name" for column in served.columns) and not served.custom:
        return served.columns
    return (_NAME, *served.columns)


def partial(manifest: Manifest) -> Manifest:
    """The object's PartialObjectMetadata."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": manifest.get("metadata") or {},
    }


def _definition(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description or f"Custom resource definition column (in JSONPath format): {column.path}",
        "priority": column.priority,
    }


def _row(columns: tuple[Column, ...], manifest: Manifest, include: str, now: datetime.datetime) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": [_cell(column, manifest, now) for column in columns]}
    if include == OBJECT:
        row["object"] = manifest
    elif include != NONE:
        row["object"] = partial(manifest)
    return row


def _cell(column: Column, manifest: Manifest, now: datetime.datetime) -> Any:
    results = _results(column, manifest)
    if column.type == "date":
        return ages.since(results[0] if results else None, now) if results or column.name == "Age" else None
    if not results:
        return None
    if column.type == "string":
        return _text(results[0])
    return _CELLS.get(column.type, _as_is)(results[0])


def _results(column: Column, manifest: Manifest) -> list[Any]:
    computed = cells.CELLS.get(column.path.removeprefix(cells.PREFIX)) if column.path.startswith(cells.PREFIX) else None
    return [computed(manifest)] if computed else jsonpaths.evaluate(column.path, manifest)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode() if value is not None else None


def _integer(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _as_is(value: Any) -> Any:
    return value


_CELLS: dict[str, Callable[[Any], Any]] = {"integer": _integer, "number": _number, "boolean": _boolean}
