"""Rules of built-in kinds that their OpenAPI schema cannot say."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from portway.apiserver import crds, names
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.krm.errors import Cause, invalid
from portway.krm.identity import Manifest
from portway.krm.schemas import structural

_KEY_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_DATA_LIMIT = 1024 * 1024

Check = Callable[[AdmissionRequest, Manifest], Iterator[Cause]]


class BuiltinChecks:
    async def admit(self, request: AdmissionRequest) -> None:
        check = _CHECKS.get(request.resource.key)
        manifest = request.object
        if check is None or manifest is None:
            return
        causes = tuple(check(request, manifest))
        if causes:
            gvk = request.resource.served.gvk
            raise invalid(gvk.kind, request.name, causes, gvk.group)


def _config_map(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    text, binary = manifest.get("data") or {}, manifest.get("binaryData") or {}
    yield from _check_keys(text, "data")
    yield from _check_keys(binary, "binaryData")
    for key in text.keys() & binary.keys():
        yield Cause(
            "FieldValueInvalid", f'Invalid value: "{key}": duplicate of key present in data', f"binaryData[{key}]"
        )
    yield from _check_base64(binary, "binaryData")
    if sum(len(str(value)) for value in (*text.values(), *binary.values())) > _DATA_LIMIT:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {_DATA_LIMIT} bytes", "")
    yield from _check_immutable(request, manifest, ("data", "binaryData"))


def _secret(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    data = manifest.get("data") or {}
    yield from _check_keys(data, "data")
    yield from _check_base64(data, "data")
    if sum(len(str(value)) for value in data.values()) * 3 // 4 > _DATA_LIMIT:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {_DATA_LIMIT} bytes", "data")
    old = request.old
    if old is not None and manifest.get("type") != old.get("type"):
        yield Cause("FieldValueInvalid", f'Invalid value: "{manifest.get("type")}": field is immutable', "type")
    for required in _SECRET_KEYS.get(manifest.get("type", ""), ()):
        if required not in data:
            yield Cause("FieldValueRequired", "Required value", f"data[{required}]")
    yield from _check_immutable(request, manifest, ("data",))


_SECRET_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def _check_keys(data: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for key in data:
        if not key or not _KEY_CHARS.issuperset(key) or len(key) > 253 or key in (".", ".."):
            yield Cause("FieldValueInvalid", f'Invalid value: "{key}": {_KEY_TEXT}', f"{path}[{key}]")


def _check_base64(data: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for key, value in data.items():
        try:
            base64.b64decode(value or "", validate=True)
        except (binascii.Error, TypeError, ValueError):
            yield Cause("FieldValueInvalid", "Invalid value: must be base64", f"{path}[{key}]")


def _check_immutable(request: AdmissionRequest, manifest: Manifest, fields: tuple[str, ...]) -> Iterator[Cause]:
    old = request.old
    if old is None or not old.get("immutable"):
        return
    if not manifest.get("immutable"):
        yield Cause("FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set", "immutable")
    for field in fields:
        if (old.get(field) or {}) != (manifest.get(field) or {}):
            yield Cause("FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set", field)


def _binding(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    ref = manifest.get("roleRef") or {}
    if request.old is not None and request.old.get("roleRef") != ref:
        yield Cause("FieldValueInvalid", "Invalid value: cannot change roleRef", "roleRef")
    kinds = ("ClusterRole",) if request.resource.served.plural == "clusterrolebindings" else ("Role", "ClusterRole")
    if ref.get("kind") not in kinds:
        listed = ", ".join(f'"{kind}"' for kind in kinds)
        text = f'Unsupported value: "{ref.get("kind", "")}": supported values: {listed}'
        yield Cause("FieldValueNotSupported", text, "roleRef.kind")
    if not ref.get("name"):
        yield Cause("FieldValueRequired", "Required value", "roleRef.name")
    for index, subject in enumerate(manifest.get("subjects") or ()):
        if subject.get("kind") not in ("User", "Group", "ServiceAccount"):
            text = (
                f'Unsupported value: "{subject.get("kind", "")}": supported values: "ServiceAccount", "User", "Group"'
            )
            yield Cause("FieldValueNotSupported", text, f"subjects[{index}].kind")


def _role(_request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    for index, rule in enumerate(manifest.get("rules") or ()):
        path = f"rules[{index}]"
        if not rule.get("verbs"):
            yield Cause("FieldValueRequired", "Required value: verbs must contain at least one value", f"{path}.verbs")
        if rule.get("nonResourceURLs"):
            continue
        for field, word in (("apiGroups", "api groups"), ("resources", "resources")):
            if not rule.get(field):
                text = f"Required value: resource rules must supply at least one {word.rstrip('s')}"
                yield Cause("FieldValueRequired", text, f"{path}.{field}")


def _api_resource_schema(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    spec = manifest.get("spec")
    if not spec:
        yield Cause("FieldValueRequired", "Required value", "spec")
        return
    if not request.name.endswith(f".{spec['names']['plural']}.{spec['group']}"):
        text = f'Invalid value: "{request.name}": must be <prefix>.<spec.names.plural>.<spec.group>'
        yield Cause("FieldValueInvalid", text, "metadata.name")
    for index, version in enumerate(spec["versions"]):
        yield from structural.check(version.get("schema") or {}, f"spec.versions[{index}].schema")
    yield from crds.check_conversion(spec.get("conversion") or {})
    if request.old is not None and request.old.get("spec") != manifest.get("spec"):
        text = "Forbidden: the spec of an APIResourceSchema cannot be changed: make a new one and name it in the export"
        yield Cause("FieldValueForbidden", text, "spec")


def _workspace(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    if not names.is_label(request.name):
        yield Cause("FieldValueInvalid", f'Invalid value: "{request.name}": {names.LABEL_TEXT}', "metadata.name")
    old = request.old
    if (manifest.get("spec") or {}).get("mount") and not ((old or {}).get("spec") or {}).get("mount"):
        yield Cause("FieldValueForbidden", "Forbidden: mounts are not served here", "spec.mount")
    if request.operation is not Operation.UPDATE or old is None:
        return
    for field in ("type", "cluster", "URL"):
        if (old.get("spec") or {}).get(field) != (manifest.get("spec") or {}).get(field):
            yield Cause("FieldValueInvalid", "Invalid value: field is immutable", f"spec.{field}")


def _workspace_type(request: AdmissionRequest, manifest: Manifest) -> Iterator[Cause]:
    if not names.is_label(request.name):
        yield Cause("FieldValueInvalid", f'Invalid value: "{request.name}": {names.LABEL_TEXT}', "metadata.name")
    if request.name in ("system", "any"):
        yield Cause("FieldValueInvalid", f'Invalid value: "{request.name}": this name is reserved', "metadata.name")
    if (manifest.get("spec") or {}).get("authenticationConfigurations"):
        text = "Forbidden: ways to log in are those of the whole installation"
        yield Cause("FieldValueForbidden", text, "spec.authenticationConfigurations")
    for field in ("limitAllowedChildren", "limitAllowedParents"):
        limit = (manifest.get("spec") or {}).get(field)
        if limit is not None and ("none" in limit) == ("types" in limit):
            yield Cause("FieldValueInvalid", "Invalid value: must have exactly one of none and types", f"spec.{field}")


_CHECKS: dict[str, Check] = {
    "configmaps": _config_map,
    "secrets": _secret,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterroles.rbac.authorization.k8s.io": _role,
    "roles.rbac.authorization.k8s.io": _role,
    "apiresourceschemas.apis.kcp.io": _api_resource_schema,
    "workspaces.tenancy.kcp.io": _workspace,
    "workspacetypes.tenancy.kcp.io": _workspace_type,
}
