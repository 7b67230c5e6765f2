"""Warnings for expressions that do not fit the kinds a policy is about; they refuse nothing.

Source: k8s.io/apiserver pkg/admission/plugin/policy/validating/typechecking.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from portway.apiserver.admission import inputs
from portway.apiserver.admission.policies.expressions import compiled, variables_of
from portway.apiserver.registry import Registry
from portway.krm.cel import schematypes
from portway.krm.cel.programs import Environment
from portway.krm.cel.types import DYN, Type
from portway.krm.identity import GroupVersionKind, Manifest

_LIMIT = 10
"""Kinds looked at for one policy."""


def warnings(manifest: Manifest, registry: Registry, cluster: str) -> list[Manifest]:
    """ExpressionWarnings of a ValidatingAdmissionPolicy."""
    spec = manifest.get("spec") or {}
    scopes = [
        (gvk, _scope(spec, type_, _params_type(spec, registry, cluster)))
        for gvk, type_ in _kinds(spec, registry, cluster)
    ]
    found = []
    for index, validation in enumerate(spec.get("validations") or ()):
        for field in ("expression", "messageExpression"):
            source = validation.get(field)
            texts = [text for gvk, scope in scopes if source and (text := _problem(gvk, scope, source))]
            if texts:
                found.append({"fieldRef": f"spec.validations[{index}].{field}", "warning": "\n".join(texts)})
    return found


def _problem(gvk: GroupVersionKind, scope: Environment, source: str) -> str:
    found = compiled(scope, source)
    return f"{gvk.api_version}, Kind={gvk.kind}: {found.error}\n" if found.program is None else ""


def _scope(spec: Manifest, object_type: Type, params_type: Type) -> Environment:
    params = bool(spec.get("paramKind"))
    known = variables_of(spec, params=params, object_type=object_type, params_type=params_type).types
    return inputs.environment(params=params, variables=known, object_type=object_type, params_type=params_type)


def _params_type(spec: Manifest, registry: Registry, cluster: str) -> Type:
    kind = spec.get("paramKind") or {}
    for resource in registry.serving(cluster).resources:
        gvk = resource.served.gvk
        if (gvk.api_version, gvk.kind) == (kind.get("apiVersion"), kind.get("kind")):
            return schematypes.declared(resource.served.schema, root=True, name=gvk.kind) or DYN
    return DYN


def _kinds(spec: Manifest, registry: Registry, cluster: str) -> Iterator[tuple[GroupVersionKind, Type]]:
    """Of rules without wildcards, in order of group, version and kind."""
    seen: dict[GroupVersionKind, Type] = {}
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        groups, versions, resources = (rule.get(f) or () for f in ("apiGroups", "apiVersions", "resources"))
        if "*" in groups or "*" in versions:
            continue
        for group, version, plural in product(sorted(groups), sorted(versions), sorted(resources)):
            resource = registry.serving(cluster).find(group, version, plural)
            if resource is not None and len(seen) < _LIMIT:
                type_ = schematypes.declared(resource.served.schema, root=True, name=resource.served.gvk.kind)
                seen[resource.served.gvk] = type_ or DYN
    yield from sorted(seen.items(), key=lambda item: tuple(item[0]))
