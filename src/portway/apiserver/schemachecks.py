"""A custom resource against its schema and its rules, forgiving on update what was wrong before and is unchanged."""

from __future__ import annotations

from portway.apiserver import scalechecks
from portway.apiserver.resources import Resource
from portway.krm.cel import rules
from portway.krm.errors import Cause
from portway.krm.identity import Manifest
from portway.krm.schemas import ratcheting, validating

_BLOCKING = frozenset(
    ("FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid")
)
_UNCHECKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation"
)

_NOWHERE = "<nil>"
"""The path of what is wrong with no field in particular, as upstream prints it."""


def check(resource: Resource, manifest: Manifest, live: Manifest | None) -> tuple[tuple[Cause, ...], list[str]]:
    """What refuses the object, and what is only worth a warning. ``live``: the stored object on update."""
    schema = resource.served.schema
    causes = tuple(dict.fromkeys(validating.validate(schema, manifest)))
    if not resource.served.custom:
        return causes, []
    if resource.served.scale:
        causes = (*causes, *scalechecks.check(resource.served.scale, manifest))
    forgiven: tuple[Cause, ...] = ()
    if causes and live is not None:
        causes, forgiven = ratcheting.split(causes, schema, manifest, live)
    warnings = [f"{cause.field}: {cause.message}" for cause in forgiven]
    if not rules.has_rules(schema):
        return causes, warnings
    if any(cause.reason in _BLOCKING for cause in causes):
        return (*causes, Cause("FieldValueInvalid", _UNCHECKED, _NOWHERE)), warnings
    report = rules.validate(schema, manifest, live)
    return (*causes, *report.causes), warnings + report.warnings


def has_wrong_types(resource: Resource, manifest: Manifest) -> bool:
    """Whether values are of other types than declared, so that nothing more can be said of the object."""
    found = validating.validate(resource.served.schema, manifest)
    return any(cause.reason == "FieldValueTypeInvalid" for cause in found)
