"""Defaults, checks and status of policies and bindings as they are written."""

from __future__ import annotations

from portway.apiserver import schemachecks
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.admission.policies import checks, typechecks
from portway.apiserver.admission.policies.definitions import GROUP
from portway.apiserver.admission.policies.reading import ParamReading
from portway.apiserver.registry import Registry
from portway.krm.errors import invalid
from portway.krm.identity import Manifest


class PolicyWriting:
    """A mutating step: it completes, judges, and says in status what the types say."""

    def __init__(self, registry: Registry, reading: ParamReading) -> None:
        self._registry = registry
        self._reading = reading

    async def admit(self, request: AdmissionRequest) -> None:
        gvk, manifest = request.resource.served.gvk, request.object
        if gvk.group != GROUP or manifest is None or request.subresource:
            return
        check = checks.CHECKS.get(gvk.kind)
        if check is None:
            return
        if schemachecks.has_wrong_types(request.resource, manifest):
            return  # said by the validation that follows
        _complete(gvk.kind, manifest.setdefault("spec", {}))
        causes = tuple(check(manifest))
        if not causes and (forbidden := self._reading.check(request)):
            causes = (forbidden,)
        if causes:
            raise invalid(gvk.kind, request.name, causes, gvk.group)
        if gvk.kind == "ValidatingAdmissionPolicy":
            self._set_status(request, manifest)

    def _set_status(self, request: AdmissionRequest, manifest: Manifest) -> None:
        old = request.old
        generation = 1
        if request.operation is Operation.UPDATE and old is not None:
            generation = (old["metadata"].get("generation") or 1) + (old.get("spec") != manifest.get("spec"))
        found = typechecks.warnings(manifest, self._registry, request.tenant.cluster)
        status = manifest.setdefault("status", {})
        status["observedGeneration"] = generation
        status["typeChecking"] = {"expressionWarnings": found} if found else {}


def _complete(kind: str, spec: Manifest) -> None:
    if kind.endswith("Binding"):
        if spec.get("matchResources") is not None:
            complete_match(spec["matchResources"])
        return
    spec.setdefault("failurePolicy", "Fail")
    if kind == "MutatingAdmissionPolicy":
        spec.setdefault("reinvocationPolicy", "Never")
    if spec.get("matchConstraints") is not None:
        complete_match(spec["matchConstraints"])


def complete_match(match: Manifest) -> None:
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})
    for field in ("resourceRules", "excludeResourceRules"):
        for rule in match.get(field) or ():
            rule.setdefault("scope", "*")
