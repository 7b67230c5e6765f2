"""Names, label keys and values as upstream's apimachinery validates them (k8s.io/apimachinery/pkg/util/validation).

Checked by sets of characters: these run on every write.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from portway.krm.errors import Cause

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_LOWER_DASH = _LOWER | {"-"}
_ALNUM = _LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LABEL_CHARS = _ALNUM | frozenset("-_.")
_RBAC = ("clusterroles.", "roles.", "clusterrolebindings.", "rolebindings.")
_ANNOTATIONS_LIMIT = 256 * 1024

SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def is_label(text: str) -> bool:
    """RFC 1123 label."""
    return 0 < len(text) <= 63 and _is_dns(text)


def is_subdomain(text: str) -> bool:
    return 0 < len(text) <= 253 and all(part and _is_dns(part) for part in text.split("."))


def _is_dns(text: str) -> bool:
    return _LOWER_DASH.issuperset(text) and text[0] in _LOWER and text[-1] in _LOWER


def check(resource: str, name: str) -> list[Cause]:
    """The name of an object of a resource (store key form)."""
    path = "metadata.name"
    if not name:
        return [Cause("FieldValueRequired", "Required value: name or generateName is required", path)]
    if resource.startswith(_RBAC):
        if name in (".", "..") or "/" in name or "%" in name:
            return [Cause("FieldValueInvalid", f"Invalid value: \"{name}\": may not contain '/' or '%'", path)]
        return []
    if resource in ("namespaces", "services"):
        if is_label(name):
            return []
        text = "must be no more than 63 characters" if len(name) > 63 else LABEL_TEXT
        return [Cause("FieldValueInvalid", f'Invalid value: "{name}": {text}', path)]
    if is_subdomain(name):
        return []
    text = "must be no more than 253 characters" if len(name) > 253 else SUBDOMAIN_TEXT
    return [Cause("FieldValueInvalid", f'Invalid value: "{name}": {text}', path)]


def check_labels(labels: Mapping[str, str], path: str) -> list[Cause]:
    causes = []
    for key, value in labels.items():
        fault = qualified_fault(key)
        if fault:
            causes.append(Cause("FieldValueInvalid", f'Invalid value: "{key}": {fault}', path))
        if len(value) > 63:
            text = f'Invalid value: "{value}": must be no more than 63 characters'
            causes.append(Cause("FieldValueInvalid", text, path))
        elif value and not _is_middle(value):
            causes.append(Cause("FieldValueInvalid", f'Invalid value: "{value}": {LABEL_VALUE_TEXT}', path))
    return causes


def check_annotations(annotations: Mapping[str, str]) -> list[Cause]:
    causes, size = [], 0
    for key, value in annotations.items():
        size += len(key) + len(value)
        fault = qualified_fault(key.lower())
        if fault:
            text = f'Invalid value: "{key}": {fault}'
            causes.append(Cause("FieldValueInvalid", text, "metadata.annotations"))
    if size > _ANNOTATIONS_LIMIT:
        text = f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes"
        causes.append(Cause("FieldValueTooLong", text, "metadata.annotations"))
    return causes


@lru_cache(maxsize=4096)
def qualified_fault(key: str) -> str:
    """Why ``[prefix/]name`` is not a qualified name; empty when it is."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return "a qualified name must consist of an optional prefix and a name, separated by one '/'"
    if slash and not is_subdomain(prefix):
        return f"prefix part {SUBDOMAIN_TEXT}" if prefix else "prefix part must be non-empty"
    if not name:
        return f"name part must be non-empty; {QUALIFIED_TEXT}"
    if len(name) > 63:
        return "name part must be no more than 63 characters"
    return "" if _is_middle(name) else QUALIFIED_TEXT


def _is_middle(text: str) -> bool:
    return _LABEL_CHARS.issuperset(text) and text[0] in _ALNUM and text[-1] in _ALNUM
