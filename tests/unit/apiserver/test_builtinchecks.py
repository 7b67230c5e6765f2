"""Objects of built-in kinds that are refused, with upstream's fields and words."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from portway.apiserver import resources
from portway.apiserver.admission.builtinchecks import checking, quotas
from portway.apiserver.admission.contract import AdmissionRequest, Operation
from portway.apiserver.tenants import Tenant
from portway.apiserver.users import ANONYMOUS
from portway.krm.builtins.catalogue import KINDS

RBAC = "rbac.authorization.k8s.io"
MIB = 1024 * 1024
KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
FIXED = "Forbidden: field is immutable when `immutable` is set"
NAME = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
NAME_PART = (
    f"name part {NAME} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)

Found = list[tuple[str, str]]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def judged(
    plural: str, manifest: Any, old: Any = None, group: str = "", subresource: str = "", name: str = "a"
) -> Found:
    served = next(s for s in KINDS if (s.plural, s.gvk.group) == (plural, group))
    whole = {"metadata": {"name": "a"}, **manifest}
    request = AdmissionRequest(
        operation=Operation.CREATE if old is None else Operation.UPDATE,
        resource=resources.of(served),
        subresource=subresource,
        tenant=Tenant("root", "root"),
        user=ANONYMOUS,
        name=name,
        namespace="default",
        object=whole,
        old=old,
        dry_run=False,
    )
    return [(cause.field, cause.message) for cause in checking.check(request, whole)]


@pytest.mark.parametrize(
    ("manifest", "old", "found", "reason"),
    [
        ({"data": {"a.b": "x"}, "binaryData": {"c": "AAAA"}}, None, [], "texts and bytes"),
        ({"data": {"a b": "x", "..": "x", "..a": "x"}}, None,
         [("data[a b]", f'Invalid value: "a b": {KEY}'), ("data[..]", "Invalid value: \"..\": must not be '..'"),
          ("data[..a]", "Invalid value: \"..a\": must not start with '..'")], "keys are names of files"),
        ({"data": {"a" * 254: "x"}}, None,
         [(f"data[{'a' * 254}]", f'Invalid value: "{"a" * 254}": must be no more than 253 characters')], "short ones"),
        ({"data": {"a": "x"}, "binaryData": {"a": "AAAA"}}, None,
         [("data[a]", 'Invalid value: "a": duplicate of key present in binaryData')], "each once"),
        ({"data": {"a": "é" * (MIB // 2)}, "binaryData": {"b": "AA=="}}, None,
         [("[]", "Too long: may not be more than 1048576 bytes")], "all of it is counted in bytes"),
        ({"data": {"a": "é" * (MIB // 2)}}, None, [], "up to a limit"),
        ({"data": {"a": "y"}}, {"immutable": True, "data": {"a": "x"}, "binaryData": {"b": "AAAA"}},
         [("immutable", FIXED), ("data", FIXED), ("binaryData", FIXED)], "what is fixed stays"),
    ],
)  # fmt: skip
def test_config_maps(manifest: Any, old: Any, found: Found, reason: str) -> None:
    assert judged("configmaps", manifest, old) == found, reason


@pytest.mark.parametrize(
    ("manifest", "old", "found", "reason"),
    [
        ({"type": "own/type", "data": {"a": encoded("x")}}, None, [], "a type of one's own asks nothing"),
        ({"type": "kubernetes.io/tls"}, None,
         [("data[tls.crt]", "Required value"), ("data[tls.key]", "Required value")], "a pair of keys"),
        ({"type": "kubernetes.io/dockerconfigjson"}, None,
         [("data[.dockerconfigjson]", "Required value")], "a file of credentials"),
        ({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": encoded("[]")}}, None,
         [("data[.dockerconfigjson]", 'Invalid value: "<secret contents redacted>": json: cannot unmarshal array into '
           "Go value of type map[string]interface {}")], "that can be read"),
        ({"type": "kubernetes.io/dockercfg", "data": {".dockercfg": ""}}, None,
         [("data[.dockercfg]", 'Invalid value: "<secret contents redacted>": unexpected end of JSON input')],
         "in the older form too"),
        ({"type": "kubernetes.io/basic-auth", "data": {"user": ""}}, None,
         [("data[username]", "Required value"), ("data[password]", "Required value")], "one of the two"),
        ({"type": "kubernetes.io/basic-auth", "data": {"password": ""}}, None, [], "if only an empty one"),
        ({"type": "kubernetes.io/ssh-auth", "data": {"ssh-privatekey": ""}}, None,
         [("data[ssh-privatekey]", "Required value")], "a key that is one"),
        ({"type": "kubernetes.io/service-account-token"}, None,
         [("metadata.annotations[kubernetes.io/service-account.name]", "Required value")], "whose token it is"),
        ({"type": "b", "data": {}}, {"type": "a"}, [("type", 'Invalid value: "b": field is immutable')], "for life"),
        ({"type": "a", "data": {"a": encoded("x" * (MIB + 1))}}, None,
         [("data", "Too long: may not be more than 1048576 bytes")], "not too much"),
        ({"type": "a", "data": {"a": "?"}}, None, [("data[a]", "Invalid value: must be base64")], "as bytes"),
    ],
)  # fmt: skip
def test_secrets(manifest: Any, old: Any, found: Found, reason: str) -> None:
    assert judged("secrets", manifest, old) == found, reason


def rule(**fields: Any) -> dict[str, Any]:
    return {"verbs": ["get"], **fields}


EVERYWHERE = {"apiGroups": [""], "resources": ["pods"]}


@pytest.mark.parametrize(
    ("plural", "manifest", "found", "reason"),
    [
        ("roles", {"rules": [rule(**EVERYWHERE)]}, [], "a good one"),
        ("roles", {"rules": [{}]},
         [("rules[0].verbs", "Required value: verbs must contain at least one value"),
          ("rules[0].apiGroups", "Required value: resource rules must supply at least one api group"),
          ("rules[0].resources", "Required value: resource rules must supply at least one resource")], "all is asked"),
        ("roles", {"rules": [rule(nonResourceURLs=["/a"])]},
         [("rules[0].nonResourceURLs", 'Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs')],
         "paths are in no namespace"),
        ("clusterroles", {"rules": [rule(nonResourceURLs=["/a"], **EVERYWHERE)]},
         [("rules[0].nonResourceURLs",
           'Invalid value: ["/a"]: rules cannot apply to both regular resources and non-resource URLs')], "either or"),
        ("clusterroles", {"aggregationRule": {}},
         [("aggregationRule.clusterRoleSelectors",
           "Required value: at least one clusterRoleSelector required if aggregationRule is non-nil")], "of something"),
        ("clusterroles", {"aggregationRule": {"clusterRoleSelectors": [{"matchExpressions": [
            {"key": "a b", "operator": "In"}, {"key": "a", "operator": "Exists", "values": ["x"]},
            {"key": "a", "operator": "Near", "values": ["-"]}]}]}},
         [(f"aggregationRule.clusterRoleSelectors[0].matchExpressions[{field}", text) for field, text in (
             ("0].values", "Required value: must be specified when `operator` is 'In' or 'NotIn'"),
             ("0].key", f'Invalid value: "a b": {NAME_PART}'),
             ("1].values", "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
             ("2].operator", 'Invalid value: "Near": not a valid selector operator'),
             ("2].values[0]", "Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric "
              "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
              "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"),
         )] + [("aggregationRule.clusterRoleSelectors[0]", "Invalid value: null: invalid label selector.")],
         "selected by what labels can be"),
    ],
)  # fmt: skip
def test_roles(plural: str, manifest: Any, found: Found, reason: str) -> None:
    assert judged(plural, manifest, group=RBAC) == found, reason


def binding(kind: str = "ClusterRole", name: str = "view", group: str = RBAC) -> dict[str, Any]:
    user = {"kind": "User", "name": "u", "apiGroup": RBAC}
    return {"roleRef": {"apiGroup": group, "kind": kind, "name": name}, "subjects": [user]}


def bound(**subject: str) -> dict[str, Any]:
    return {**binding(), "subjects": [subject]}


@pytest.mark.parametrize(
    ("plural", "manifest", "old", "found", "reason"),
    [
        ("rolebindings", binding("Role"), None, [], "a good one"),
        ("clusterrolebindings", binding("Role", "a/b", "own"), None,
         [("roleRef.apiGroup", f'Unsupported value: "own": supported values: "{RBAC}"'),
          ("roleRef.kind", 'Unsupported value: "Role": supported values: "ClusterRole"'),
          ("roleRef.name", "Invalid value: \"a/b\": may not contain '/'")], "everywhere only what holds everywhere"),
        ("rolebindings", binding("Admin", ""), None,
         [("roleRef.kind", 'Unsupported value: "Admin": supported values: "Role", "ClusterRole"'),
          ("roleRef.name", "Required value")], "a role"),
        ("rolebindings", binding(name="edit"), binding(),
         [("roleRef", f'Invalid value: {{"APIGroup":"{RBAC}","Kind":"ClusterRole","Name":"edit"}}: cannot change '
           "roleRef")], "for life"),
        ("clusterrolebindings", bound(kind="ServiceAccount", name=""), None,
         [("subjects[0].name", "Required value"), ("subjects[0].namespace", "Required value")], "of somebody"),
        ("clusterrolebindings", bound(kind="Robot", name="r"), None,
         [("subjects[0].kind", 'Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"')],
         "who can be known"),
        ("rolebindings", bound(kind="Group", name="g", apiGroup="own"), None,
         [("subjects[0].apiGroup", f'Unsupported value: "own": supported values: "{RBAC}"')], "by a known group"),
        ("rolebindings", bound(kind="ServiceAccount", name="a", apiGroup=RBAC), None,
         [("subjects[0].apiGroup", f'Unsupported value: "{RBAC}": supported values: ""')], "accounts are of none"),
    ],
)  # fmt: skip
def test_bindings_of_roles(plural: str, manifest: Any, old: Any, found: Found, reason: str) -> None:
    assert judged(plural, manifest, old, group=RBAC) == found, reason


def limited(scopes: Any = (), selector: Any = None, **hard: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"hard": {name.replace("__", "/"): value for name, value in hard.items()}}
    if scopes:
        spec["scopes"] = list(scopes)
    if selector is not None:
        spec["scopeSelector"] = {"matchExpressions": [selector]}
    return {"spec": spec}


EXPRESSIONS = "spec.scopeSelector.matchExpressions"


@pytest.mark.parametrize(
    ("manifest", "old", "found", "reason"),
    [
        (limited(pods="1", cpu="500m", count__secrets="2"), None, [], "a good one"),
        (limited(apples="1"), None,
         [("spec.hard[apples]", 'Invalid value: "apples": must be a standard resource type or fully qualified'),
          ("spec.hard[apples]", 'Invalid value: "apples": must be a standard resource for quota')], "what is known"),
        (limited(pods="-1", secrets="1.5", count__x="500m"), None,
         [("spec.hard[pods]", 'Invalid value: "-1": must be greater than or equal to 0'),
          ("spec.hard[secrets]", 'Invalid value: "1500m": must be an integer'),
          ("spec.hard[count/x]", 'Invalid value: "500m": must be an integer')], "in whole numbers"),
        (limited(["Odd"], pods="1"), None, [("spec.scopes", 'Invalid value: ["Odd"]: unsupported scope')], "by scope"),
        (limited(["BestEffort"], cpu="1", pods="1"), None,
         [("spec.scopes", 'Invalid value: ["BestEffort"]: unsupported scope applied to resource')], "that fits"),
        (limited(["Terminating", "NotTerminating"], pods="1"), None,
         [("spec.scopes", 'Invalid value: ["Terminating","NotTerminating"]: conflicting scopes')], "or does not"),
        (limited(selector={"scopeName": "BestEffort", "operator": "In"}, pods="1"), None,
         [(f"{EXPRESSIONS}.operator", f'Invalid value: "In": {quotas._ONLY_EXISTS}'),
          (f"{EXPRESSIONS}.values",
           "Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")],
         "by a selector"),
        (limited(selector={"scopeName": "PriorityClass", "operator": "Exists", "values": ["a"]}, pods="1"), None,
         [(f"{EXPRESSIONS}.values", 'Invalid value: ["a"]: must be no value when `operator` is \'Exist\' or '
           "'DoesNotExist' for scope selector")], "that says no more than it means"),
        (limited(pods="1"), limited(["BestEffort"], pods="1"),
         [("spec.scopes", "Invalid value: null: field is immutable")], "for life"),
    ],
)  # fmt: skip
def test_quotas(manifest: Any, old: Any, found: Found, reason: str) -> None:
    assert [(cause.field, cause.message) for cause in quotas.check(manifest, old)] == found, reason


ABOUT = {"namespace": "default"}
NEW = {
    "regarding": ABOUT,
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "type": "Normal",
    "reason": "Made",
    "action": "Make",
    "reportingController": "example.org/x",
    "reportingInstance": "x-1",
}


@pytest.mark.parametrize(
    ("group", "manifest", "old", "found", "reason"),
    [
        ("", {"involvedObject": ABOUT}, None, [], "the older form asks little"),
        ("", {"involvedObject": {"namespace": "other"}}, None,
         [("involvedObject.namespace", 'Invalid value: "other": does not match event.namespace')], "to be near"),
        ("", {"involvedObject": ABOUT, "eventTime": NEW["eventTime"], "message": "x" * 1025}, None,
         [("reportingComponent", "Required value"), ("reportingComponent", 'Invalid value: "": name part must be '
           "non-empty"), ("reportingComponent", f'Invalid value: "": {NAME_PART}'),
          ("reportingInstance", "Required value"), ("action", "Required value"), ("reason", "Required value"),
          ("message", 'Invalid value: "": can have at most 1024 characters')], "and with a time who saw it"),
        ("events.k8s.io", NEW, None, [], "the newer form asks all"),
        ("events.k8s.io", {**NEW, "eventTime": None, "type": "Odd", "deprecatedCount": 1, "series": {"count": 1},
                           "deprecatedSource": {"host": "h"}, "deprecatedFirstTimestamp": "2026-01-01T00:00:00Z"}, None,
         [("series.count", 'Invalid value: "": should be at least 2'),
          ("series.lastObservedTime", "Required value"), ("eventTime", "Required value"),
          ("type", 'Invalid value: "": has invalid value: Odd'),
          ("firstTimestamp", 'Invalid value: "": needs to be unset'), ("count", 'Invalid value: "": needs to be unset'),
          ("source", 'Invalid value: "": needs to be unset')], "and nothing old"),
        ("events.k8s.io", {**NEW, "note": "b", "reason": "Lost"}, {**NEW, "note": "a"},
         [("reason", 'Invalid value: "Lost": field is immutable'),
          ("message", 'Invalid value: "b": field is immutable')], "what was seen was seen"),
    ],
)  # fmt: skip
def test_events(group: str, manifest: Any, old: Any, found: Found, reason: str) -> None:
    assert judged("events", manifest, old, group=group) == found, reason


@pytest.mark.parametrize(
    ("spec", "found", "reason"),
    [
        ({"leaseDurationSeconds": 1, "leaseTransitions": 0}, [], "a good one"),
        ({"leaseDurationSeconds": 0, "leaseTransitions": -1},
         [("spec.leaseDurationSeconds", "Invalid value: 0: must be greater than 0"),
          ("spec.leaseTransitions", "Invalid value: -1: must be greater than or equal to 0")], "time passes"),
    ],
)  # fmt: skip
def test_leases(spec: Any, found: Found, reason: str) -> None:
    assert judged("leases", {"spec": spec}, group="coordination.k8s.io") == found, reason


NEITHER = 'Invalid value: "odd": name is neither a standard finalizer name nor is it fully qualified'


@pytest.mark.parametrize(
    ("subresource", "manifest", "old", "found", "reason"),
    [
        ("", {"spec": {"finalizers": ["kubernetes", "odd"]}}, None, [("spec.finalizers", NEITHER)], "at the start"),
        ("finalize", {"spec": {"finalizers": ["example.org/a", "odd"]}}, {}, [("spec.finalizers[1]", NEITHER)], "on"),
        ("", {"spec": {"finalizers": ["odd"]}}, {}, [], "what stands there stands"),
        ("status", {"status": {"phase": "Gone"}}, {},
         [("status.Phase", "Invalid value: \"Gone\": may only be 'Active' if `deletionTimestamp` is empty")], "alive"),
        ("status", {"metadata": {"deletionTimestamp": "x"}, "status": {"phase": "Active"}}, {},
         [("status.Phase", "Invalid value: \"Active\": may only be 'Terminating' if `deletionTimestamp` is not empty")],
         "or goes"),
    ],
)  # fmt: skip
def test_namespaces(subresource: str, manifest: Any, old: Any, found: Found, reason: str) -> None:
    assert judged("namespaces", manifest, old, subresource=subresource) == found, reason


def schema(**fields: Any) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"type": "object"}, **fields}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    spec = {"group": "example.org", "scope": "Cluster", "names": names, "versions": [version]}
    return {"metadata": {"name": "v1.widgets.example.org"}, "spec": spec}


@pytest.mark.parametrize(
    ("manifest", "old", "found", "reason"),
    [
        (schema(deprecated=True), None, [], "a good one"),
        (schema(schema={"type": "object", "x-kubernetes-validations": [{"rule": "self.x"}]}), None,
         [("spec.versions[0].schema.x-kubernetes-validations[0].rule",
           'Invalid value: {"Rule":"self.x","Message":"","MessageExpression":"","Reason":null,"FieldPath":"",'
           '"OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field \'x\'\n | self.x\n '
           "| ....^")], "its rules fit"),
        (schema(deprecationWarning="old", additionalPrinterColumns=[{"name": "A", "type": "text", "jsonPath": "x"}]),
         None,
         [("spec.versions[0].deprecationWarning", 'Invalid value: "old": can only be set for deprecated versions'),
          ("spec.versions[0].additionalPrinterColumns[0].type",
           'Invalid value: "text": must be one of boolean,date,integer,number,string'),
          ("spec.versions[0].additionalPrinterColumns[0].jsonPath",
           'Invalid value: "x": must be a simple json path starting with .')], "and all else is as in a CRD"),
        (schema(deprecated=True), schema(),
         [("spec", "Forbidden: the spec of an APIResourceSchema cannot be changed: make a new one and name it in the "
           "export")], "for life"),
    ],
)  # fmt: skip
def test_schemas_of_exports(manifest: Any, old: Any, found: Found, reason: str) -> None:
    name = manifest["metadata"]["name"]
    assert judged("apiresourceschemas", manifest, old, group="apis.kcp.io", name=name) == found, reason
