"""Names, label keys and values as upstream's apimachinery validates them (k8s.io/apimachinery/pkg/util/validation).

Checked by sets of characters: these run on every write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from portway.krm import causes
from portway.krm.errors import Cause

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_LOWER_DASH = _LOWER | {"-"}
_ALNUM = _LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LABEL_CHARS = _ALNUM | frozenset("-_.")
_DIGITS = frozenset("0123456789")
_LABELS = ("namespaces", "services")
_RBAC = ("clusterroles.", "roles.", "clusterrolebindings.", "rolebindings.")
_ANNOTATIONS_LIMIT = 256 * 1024
_BYTES_MOST = 4
"""Of a character, as UTF-8."""

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
_QUALIFIED = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
QUALIFIED_TEXT = f"name part {_QUALIFIED}"
DNS_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)


def is_label(text: str) -> bool:
    """RFC 1123 label."""
    return 0 < len(text) <= 63 and _is_dns(text)


def is_subdomain(text: str) -> bool:
    return 0 < len(text) <= 253 and _is_dotted(text)


def _is_dns(text: str) -> bool:
    return bool(text) and _LOWER_DASH.issuperset(text) and text[0] in _LOWER and text[-1] in _LOWER


def _is_dotted(text: str) -> bool:
    return all(map(_is_dns, text.split(".")))


def subdomain_faults(text: str) -> list[str]:
    """Why it is no RFC 1123 subdomain."""
    return _too_long(text, 253) + ([] if _is_dotted(text) else [SUBDOMAIN_TEXT])


def label_faults(text: str) -> list[str]:
    """Why it is no RFC 1123 label."""
    if _is_dns(text):
        return _too_long(text, 63)
    return [*_too_long(text, 63), "must not contain dots" if _is_dotted(text) else LABEL_TEXT]


def dns_1035_faults(text: str) -> list[str]:
    """Why it is no DNS-1035 label."""
    fits = _is_dns(text) and text[0] not in _DIGITS
    return _too_long(text, 63) + ([] if fits else [DNS_1035_TEXT])


def segment_faults(text: str) -> list[str]:
    """Why it cannot be a segment of a path."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{character}'" for character in "/%" if character in text]


def _too_long(text: str, limit: int) -> list[str]:
    return [f"must be no more than {limit} characters"] if len(text) > limit else []


def check(resource: str, name: str) -> list[Cause]:
    """The name of an object of a resource (store key form)."""
    if not name:
        return [causes.required("metadata.name", "name or generateName is required")]
    if is_subdomain(name) and resource not in _LABELS:
        return []
    return [causes.invalid("metadata.name", name, fault) for fault in _faults_of(resource)(name)]


def check_prefix(resource: str, prefix: str) -> list[Cause]:
    """``metadata.generateName``. Its last dash stands for what will follow."""
    faults_of = _faults_of(resource)
    whole = f"{prefix[:-2]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix
    faults = faults_of(f"{prefix}a" if faults_of is segment_faults else whole)
    return [causes.invalid("metadata.generateName", prefix, fault) for fault in faults]


def _faults_of(resource: str) -> Callable[[str], list[str]]:
    if resource.startswith(_RBAC):
        return segment_faults
    return label_faults if resource in _LABELS else subdomain_faults


def check_labels(labels: Mapping[str, str], path: str) -> list[Cause]:
    found = []
    for key, value in labels.items():
        found += [causes.invalid(path, key, fault) for fault in qualified_faults(key)]
        if value and (len(value) > 63 or not _is_middle(value)):
            found += [causes.invalid(path, value, fault) for fault in label_value_faults(value)]
    return found


def check_annotations(annotations: Mapping[str, str]) -> list[Cause]:
    found, size, path = [], 0, "metadata.annotations"
    for key, value in annotations.items():
        size += len(key) + len(value)
        found += [causes.invalid(path, key, fault) for fault in qualified_faults(key.lower())]
    if size > _ANNOTATIONS_LIMIT // _BYTES_MOST and _bytes_of(annotations) > _ANNOTATIONS_LIMIT:
        found.append(causes.too_long(path, _ANNOTATIONS_LIMIT))
    return found


def _bytes_of(texts: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in texts.items())


def label_value_faults(value: str) -> list[str]:
    faults = ["must be no more than 63 bytes"] if len(value.encode()) > 63 else []
    return faults if not value or _is_middle(value) else [*faults, LABEL_VALUE_TEXT]


def qualified_faults(key: str) -> list[str]:
    """Why ``[prefix/]name`` is not a qualified name."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return [
            f"a valid label key {_QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    faults = []
    if slash and not is_subdomain(prefix):
        long = ["must be no more than 253 bytes"] if len(prefix) > 253 else []
        wrong = [] if _is_dotted(prefix) else [SUBDOMAIN_TEXT]
        faults = [f"prefix part {fault}" for fault in long + wrong] if prefix else ["prefix part must be non-empty"]
    if not name:
        return [*faults, "name part must be non-empty", QUALIFIED_TEXT]
    if len(name) > 63:
        faults.append("name part must be no more than 63 bytes")
    return faults if _is_middle(name) else [*faults, QUALIFIED_TEXT]


def _is_middle(text: str) -> bool:
    return _LABEL_CHARS.issuperset(text) and text[0] in _ALNUM and text[-1] in _ALNUM
