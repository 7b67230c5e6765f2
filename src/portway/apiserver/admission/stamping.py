"""What the server writes into objects: who asked for them, and what a kind needs to be whole."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

from portway.apiserver import clocks, crds
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.crdchecks import checking
from portway.apiserver.rbac import RBAC_GROUP
from portway.apiserver.registry import Registry
from portway.kit import namelists
from portway.krm.errors import Cause, invalid
from portway.krm.identity import Manifest

REQUESTED_BY = "portway.dev/requested-by"
REQUESTED_BY_GROUPS = "portway.dev/requested-by-groups"
OWN_GROUPS = ".portway.dev"
TEMPLATE_RUNS = "templateruns.portal.portway.dev"


class RequestedBy:
    """Annotation ``portway.dev/requested-by``: the user that created an object of Portway's groups.

    A TemplateRun also carries that user's groups (``portway.dev/requested-by-groups``, a ``kit.namelists``), as its
    steps ask what the requester may do. Not forgeable, and fixed from then on except for system:masters.
    """

    async def admit(self, request: AdmissionRequest) -> None:
        manifest = request.object
        if manifest is None or not request.resource.served.gvk.group.endswith(OWN_GROUPS):
            return
        annotations = dict(manifest["metadata"].get("annotations") or {})
        if request.user.is_master and REQUESTED_BY in annotations:
            return
        if request.operation is Operation.CREATE:
            annotations.pop(REQUESTED_BY_GROUPS, None)
            annotations |= _stamps(request)
        else:
            before = (request.old or {})["metadata"].get("annotations") or {}
            if REQUESTED_BY not in before or request.user.is_master:
                return
            annotations.pop(REQUESTED_BY_GROUPS, None)
            annotations |= {key: before[key] for key in (REQUESTED_BY, REQUESTED_BY_GROUPS) if key in before}
        manifest["metadata"]["annotations"] = annotations


def _stamps(request: AdmissionRequest) -> dict[str, str]:
    stamps = {REQUESTED_BY: request.user.name_in(request.tenant.cluster)}
    if request.resource.key == TEMPLATE_RUNS:
        stamps[REQUESTED_BY_GROUPS] = namelists.joined(request.user.groups)
    return stamps


class Completion:
    """Per-kind completion of what schemas cannot default."""

    def __init__(self, registry: Registry, now: clocks.Now) -> None:
        self._registry = registry
        self._now = now
        self._steps: dict[str, Callable[[AdmissionRequest, Manifest], None]] = {
            "secrets": _complete_secret,
            "namespaces": _complete_namespace,
            f"clusterrolebindings.{RBAC_GROUP}": _complete_role_binding,
            f"rolebindings.{RBAC_GROUP}": _complete_role_binding,
            crds.CRDS: self._complete_crd,
        }

    async def admit(self, request: AdmissionRequest) -> None:
        step = self._steps.get(request.resource.key)
        if step is not None and request.object is not None:
            step(request, request.object)

    def _complete_crd(self, request: AdmissionRequest, manifest: Manifest) -> None:
        if request.subresource:
            crds.complete_status(manifest, request.old or {})
            self._judge_crd(request, checking.check_status(manifest))
            return
        crds.complete(manifest)
        found = (*checking.check(manifest, request.old), *self._built_in(manifest))
        self._judge_crd(request, checking.as_upstream_names_them(found, manifest))
        request.warnings += checking.warnings(manifest, request.old)
        finalizers = manifest["metadata"].setdefault("finalizers", None) or []
        if request.operation is Operation.CREATE:
            manifest["metadata"]["finalizers"] = [*finalizers, crds.CLEANUP_FINALIZER]
        others = [
            definition
            for (_, name), definition in self._registry.crds.of(request.tenant.cluster).items()
            if name != request.name
        ]
        others += self._registry.taken(request.tenant.cluster)
        crds.settle(manifest, others, clocks.stamp(self._now()))

    def _built_in(self, manifest: Manifest) -> Iterator[Cause]:
        """Objects of what is built in are kept under its name, and must not be served, or removed, as another's."""
        spec = manifest.get("spec") or {}
        plural = (spec.get("names") or {}).get("plural") or ""
        if self._registry.is_builtin(spec.get("group") or "", plural):
            yield Cause("FieldValueForbidden", f'Forbidden: "{plural}" is built in', "spec.names.plural")

    def _judge_crd(self, request: AdmissionRequest, found: tuple[Cause, ...]) -> None:
        if found:
            gvk = request.resource.served.gvk
            raise invalid(gvk.kind, request.name, found, gvk.group)


def _complete_secret(_request: AdmissionRequest, manifest: Manifest) -> None:
    manifest.setdefault("type", "Opaque")
    plain = manifest.pop("stringData", None)
    if isinstance(plain, dict):
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        manifest["data"] = {**(manifest.get("data") or {}), **encoded}


def _complete_role_binding(_request: AdmissionRequest, manifest: Manifest) -> None:
    for reference in (manifest.get("roleRef") or {}, *(manifest.get("subjects") or ())):
        if reference.get("kind") != "ServiceAccount" and not reference.get("apiGroup"):
            reference["apiGroup"] = RBAC_GROUP


def _complete_namespace(request: AdmissionRequest, manifest: Manifest) -> None:
    labels = dict(manifest["metadata"].get("labels") or {})
    labels["kubernetes.io/metadata.name"] = request.name
    manifest["metadata"]["labels"] = labels
    if request.operation is Operation.CREATE:
        spec = manifest.setdefault("spec", {})
        spec["finalizers"] = [*dict.fromkeys([*(spec.get("finalizers") or ()), "kubernetes"])]
        manifest["status"] = {"phase": "Active"}
    elif request.subresource != "finalize":
        manifest["spec"] = (request.old or {}).get("spec") or {}
