"""What expressions of policies and match conditions know of a request.

Shapes: k8s.io/apiserver pkg/admission/plugin/cel/compile.go and condition.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.rbac import Attributes, Grants
from portway.apiserver.users import User
from portway.krm.cel import types
from portway.krm.cel.library.authorizers import Ask, Authorizer, Question, ResourceCheck
from portway.krm.cel.programs import Environment
from portway.krm.cel.types import BOOL, DYN, STRING, TIMESTAMP, Type, list_of, map_of
from portway.krm.identity import Manifest

_UNBOUNDED = 1 << 40


def _object(name: str, /, **fields: Type) -> Type:
    return Type("object", name=f"kubernetes.{name}", fields=fields)


_TEXTS = list_of(STRING, _UNBOUNDED)
_LABELS = map_of(STRING, STRING, _UNBOUNDED)
_KIND = _object("GroupVersionKind", group=STRING, version=STRING, kind=STRING)
_RESOURCE = _object("GroupVersionResource", group=STRING, version=STRING, resource=STRING)
_USER = _object("UserInfo", username=STRING, uid=STRING, groups=_TEXTS, extra=map_of(STRING, _TEXTS, _UNBOUNDED))
REQUEST = _object(
    "AdmissionRequest",
    **{
        "kind": _KIND,
        "resource": _RESOURCE,
        "subResource": STRING,
        "requestKind": _KIND,
        "requestResource": _RESOURCE,
        "requestSubResource": STRING,
        "name": STRING,
        "namespace": STRING,
        "operation": STRING,
        "userInfo": _USER,
        "dryRun": BOOL,
        "options": DYN,
    },
)
_CONDITION = _object(
    "NamespaceCondition", status=STRING, type=STRING, lastTransitionTime=TIMESTAMP, message=STRING, reason=STRING
)
NAMESPACE = _object(
    "Namespace",
    metadata=_object(
        "NamespaceMetadata",
        name=STRING,
        generateName=STRING,
        namespace=STRING,
        labels=_LABELS,
        annotations=_LABELS,
        UID=STRING,
        creationTimestamp=TIMESTAMP,
        deletionGracePeriodSeconds=types.INT,
        deletionTimestamp=TIMESTAMP,
        generation=types.INT,
        resourceVersion=STRING,
        finalizers=_TEXTS,
    ),
    spec=_object("NamespaceSpec", finalizers=_TEXTS),
    status=_object("NamespaceStatus", conditions=list_of(_CONDITION, _UNBOUNDED), phase=STRING),
)
_AUTHORIZER = types.opaque(Authorizer.type_name)
_RESOURCE_CHECK = types.opaque(ResourceCheck.type_name)
JSON_PATCH = Type(
    "object",
    name="JSONPatch",
    fields={"op": STRING, "path": STRING, "from": STRING, "value": DYN},
)


def environment(
    *,
    params: bool,
    variables: Mapping[str, Type] | None = None,
    authorizer: bool = True,
    patches: bool = False,
    object_type: Type = DYN,
    params_type: Type = DYN,
) -> Environment:
    """Its variables stand in the order of ``values``."""
    known: dict[str, Type] = {"object": object_type, "oldObject": object_type}
    known["namespaceObject"], known["request"] = NAMESPACE, REQUEST
    known["params" if params else "@params"] = params_type
    known["authorizer" if authorizer else "@authorizer"] = _AUTHORIZER
    known["authorizer.requestResource"] = _RESOURCE_CHECK
    known["variables" if variables is not None else "@variables"] = Type(
        "object", name="kubernetes.variables", fields=dict(variables or {})
    )
    structs = {"JSONPatch": JSON_PATCH} if patches else {}
    return Environment(known, structs=structs, open_structs=("Object",) if patches else ())


class Inputs:
    """Values for one request, made when first asked for."""

    def __init__(self, request: AdmissionRequest, namespace: Manifest | None, grants: Grants) -> None:
        self._request = request
        self._namespace = namespace
        served = request.resource.served
        self._authorizer = Authorizer(_asking(request, grants))
        self._check = ResourceCheck(
            self._authorizer,
            served.gvk.group,
            served.plural,
            request.subresource,
            request.namespace if served.namespaced else "",
            request.name,
        )
        self._described = describe(request)

    def values(self, params: Manifest | None, variables: Any = None) -> list[Any]:
        request = self._request
        return [
            request.object,
            request.old,
            self._namespace,
            self._described,
            params,
            self._authorizer,
            self._check,
            variables,
        ]


def describe(request: AdmissionRequest) -> Manifest:
    """``request`` as CEL and AdmissionReview show it, without uid and objects."""
    gvk, plural = request.resource.served.gvk, request.resource.served.plural
    kind = {"group": gvk.group, "version": gvk.version, "kind": gvk.kind}
    resource = {"group": gvk.group, "version": gvk.version, "resource": plural}
    described: Manifest = {"kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource}
    if request.subresource:
        described["subResource"] = described["requestSubResource"] = request.subresource
    if request.name:
        described["name"] = request.name
    namespace = request.name if request.resource.key == "namespaces" else request.namespace
    if namespace:
        described["namespace"] = namespace
    described |= {
        "operation": str(request.operation),
        "userInfo": request.user.to_user_info(),
        "dryRun": request.dry_run,
    }
    return described


def _asking(request: AdmissionRequest, grants: Grants) -> Ask:
    def ask(question: Question) -> tuple[bool, str]:
        user = request.user
        if question.service_account is not None:
            namespace, name = question.service_account
            groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
            user = User(f"system:serviceaccount:{namespace}:{name}", groups, home=request.tenant.cluster)
        resource = question.resource + (f"/{question.subresource}" if question.subresource else "")
        asked = Attributes(question.verb, question.group, resource, question.namespace, question.name, question.path)
        return grants.allows(user, request.tenant.cluster, asked), ""

    return ask
