"""Judges the questions of authorization.k8s.io before they are answered.

Rules and texts: k8s.io/kubernetes pkg/apis/authorization/validation and pkg/registry/authorization/util.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from portway.krm import selectors
from portway.krm.errors import Cause, StatusError, invalid
from portway.krm.identity import Manifest
from portway.krm.schemas.findings import display

_GROUP = "authorization.k8s.io"
_ATTRIBUTES = "spec.resourceAttributes"
_WITH_VALUES, _WITHOUT_VALUES = ("In", "NotIn"), ("Exists", "DoesNotExist")


def check_self(manifest: Manifest) -> None:
    """A SelfSubjectAccessReview. Raises StatusError 422, as the others."""
    _refuse("SelfSubjectAccessReview", [*_spec(manifest), *_metadata(manifest)])


def check_other(manifest: Manifest) -> None:
    """A SubjectAccessReview."""
    _refuse("SubjectAccessReview", [*_spec(manifest, user=True), *_metadata(manifest)])


def check_local(manifest: Manifest) -> None:
    """A LocalSubjectAccessReview."""
    causes = [*_spec(manifest, user=True), *_metadata(manifest, " except for namespace", "namespace")]
    spec, namespace = manifest.get("spec") or {}, manifest["metadata"].get("namespace") or ""
    attributes, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if attributes is not None and (attributes.get("namespace") or "") != namespace:
        where = f"{_ATTRIBUTES}.namespace"
        causes.append(_invalid(where, attributes.get("namespace") or "", "must match metadata.namespace"))
    if path is not None:
        causes.append(_invalid("spec.nonResourceAttributes", path, "disallowed on this kind of request"))
    _refuse("LocalSubjectAccessReview", causes)


def evaluation_error(spec: Manifest) -> str:
    """What of the selectors could not be understood, and so was not looked at."""
    asked = spec.get("resourceAttributes") or {}
    parse: dict[str, Callable[[str], Any]] = {
        "fieldSelector": selectors.parse_fields,
        "labelSelector": selectors.parse_labels,
    }
    found = []
    for field, read in parse.items():
        raw = (asked.get(field) or {}).get("rawSelector")
        try:
            read(raw or "")
        except StatusError:
            found.append(f"{_ATTRIBUTES}.{field} ignored due to parse error")
    return "; ".join(found)


def _spec(manifest: Manifest, *, user: bool = False) -> Iterator[Cause]:
    spec = manifest.get("spec") or {}
    attributes, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if attributes is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        yield _invalid("spec.nonResourceAttributes", path, why)
    if attributes is None and path is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield _invalid(_ATTRIBUTES, None, why)
    if user and not spec.get("user") and not spec.get("groups"):
        yield _invalid("spec.user", "", "at least one of user or group must be specified")
    for field in ("fieldSelector", "labelSelector"):
        selector = (attributes or {}).get(field)
        if selector is not None:
            yield from _selector(selector, f"{_ATTRIBUTES}.{field}")


def _selector(selector: Manifest, path: str) -> Iterator[Cause]:
    raw, requirements = selector.get("rawSelector"), selector.get("requirements") or ()
    if raw and requirements:
        yield _invalid(f"{path}.rawSelector", raw, "may not specified at the same time as requirements")
    if not raw and not requirements:
        why = f"when {path} is specified, requirements or rawSelector is required"
        yield Cause("FieldValueRequired", f"Required value: {why}", f"{path}.requirements")
    for index, requirement in enumerate(requirements):
        where, values = f"{path}.requirements[{index}]", requirement.get("values")
        if not requirement.get("key"):
            yield Cause("FieldValueRequired", "Required value: must be specified", f"{where}.key")
        if requirement.get("operator") in _WITH_VALUES and not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            yield Cause("FieldValueRequired", f"Required value: {why}", f"{where}.values")
        if requirement.get("operator") in _WITHOUT_VALUES and values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield Cause("FieldValueForbidden", f"Forbidden: {why}", f"{where}.values")


def _metadata(manifest: Manifest, exception: str = "", *allowed: str) -> Iterator[Cause]:
    given = {key: value for key, value in manifest["metadata"].items() if value and key not in allowed}
    given.pop("managedFields", None)
    if given:
        yield _invalid("metadata", given, f"must be empty{exception}")


def _invalid(path: str, value: Any, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {display(value)}: {why}", path)


def _refuse(kind: str, causes: list[Cause]) -> None:
    if causes:
        raise invalid(kind, "", tuple(causes), _GROUP)
