"""Label selectors in objects (matchLabels, matchExpressions) as upstream's meta/v1 validates them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from portway.apiserver import names
from portway.krm import causes
from portway.krm.errors import Cause


def check(selector: Mapping[str, Any], path: str) -> Iterator[Cause]:
    yield from names.check_labels(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        yield from _check_expression(expression, f"{path}.matchExpressions[{index}]")


def _check_expression(expression: Mapping[str, Any], path: str) -> Iterator[Cause]:
    operator, key, values = expression.get("operator") or "", expression.get("key") or "", expression.get("values")
    if operator in ("In", "NotIn"):
        if not values:
            yield causes.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield causes.forbidden(f"{path}.values", text)
    else:
        yield causes.invalid(f"{path}.operator", operator, "not a valid selector operator")
    for fault in names.qualified_faults(key):
        yield causes.invalid(f"{path}.key", key, fault)
    for index, value in enumerate(values or ()):
        for fault in names.label_value_faults(value):
            yield causes.invalid(f"{path}.values[{index}]", value, fault)
