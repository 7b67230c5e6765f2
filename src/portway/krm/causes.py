"""Reasons of refusals in upstream's words, for checks that no schema can say.

Texts: k8s.io/apimachinery pkg/util/validation/field.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portway.krm.errors import Cause
from portway.krm.schemas.findings import display, quote


def required(path: str, detail: str = "") -> Cause:
    return Cause("FieldValueRequired", f"Required value: {detail}" if detail else "Required value", path)


def invalid(path: str, value: Any, detail: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {display(value)}: {detail}", path)


def faulty(path: str, detail: str) -> Cause:
    """Invalid, with a value too long to be shown."""
    return Cause("FieldValueInvalid", f"Invalid value: {detail}", path)


def unsupported(path: str, value: Any, allowed: Iterable[str]) -> Cause:
    listed = ", ".join(map(quote, allowed))
    return Cause("FieldValueNotSupported", f"Unsupported value: {display(value)}: supported values: {listed}", path)


def forbidden(path: str, detail: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {detail}", path)


def duplicate(path: str, value: Any) -> Cause:
    return Cause("FieldValueDuplicate", f"Duplicate value: {display(value)}", path)


def too_many(path: str, actual: int, limit: int) -> Cause:
    return Cause("FieldValueTooMany", f"Too many: {actual}: must have at most {limit} items", path)


def too_long(path: str, limit: int) -> Cause:
    return Cause("FieldValueTooLong", f"Too long: may not be more than {limit} bytes", path)


def immutable(path: str, value: Any) -> Cause:
    return invalid(path, value, "field is immutable")
