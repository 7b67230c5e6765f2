"""Policies, their bindings and webhooks that are refused, with upstream's fields and words."""

from __future__ import annotations

from typing import Any

import pytest

from portway.apiserver import names
from portway.apiserver.admission.policies import checks
from portway.apiserver.admission.webhooks import configurations

Found = list[tuple[str, str]]

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
NAME_PART, SUBDOMAIN, LABEL = names.QUALIFIED_TEXT, names.SUBDOMAIN_TEXT, names.DNS_1035_TEXT


REMARKS = ",".join(f"""{{"Key":"k{number}","ValueExpression":"'x'"}}""" for number in range(21))


def said(causes: Any) -> Found:
    return [(cause.field, cause.message) for cause in causes]


def validating(*rules: Any, **spec: Any) -> dict[str, Any]:
    match = {"resourceRules": list(rules) or [RULE]}
    validations = [{"expression": "true"}]
    whole = {"failurePolicy": "Fail", "matchConstraints": match, "validations": validations, **spec}
    return {"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"}, "spec": whole}


def constrained(**match: Any) -> dict[str, Any]:
    return validating(matchConstraints={"resourceRules": [RULE], **match})


@pytest.mark.parametrize(
    ("policy", "found", "reason"),
    [
        (validating(), [], "a good one"),
        (validating(validations=[{"expression": "true &&\n true"}]), [], "over lines"),
        (validating({}),
         [(f"spec.matchConstraints.resourceRules[0].{field}", "Required value")
          for field in ("operations", "apiGroups", "apiVersions", "resources")], "a rule says what it is about"),
        (validating({**RULE, "operations": ["*", "READ"], "apiGroups": ["*", "a"], "apiVersions": ["*", ""],
                     "scope": "World"}),
         [(f"spec.matchConstraints.resourceRules[0].{field}", text) for field, text in (
             ("operations", "Invalid value: [\"*\",\"READ\"]: if '*' is present, must not specify other operations"),
             ("operations[1]", 'Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", '
              '"UPDATE"'),
             ("apiGroups", "Invalid value: [\"*\",\"a\"]: if '*' is present, must not specify other API groups"),
             ("apiVersions", "Invalid value: [\"*\",\"\"]: if '*' is present, must not specify other API versions"),
             ("apiVersions[1]", "Required value"),
             ("scope", 'Unsupported value: "World": supported values: "*", "Cluster", "Namespaced"'),
         )], "once"),
        (validating({**RULE, "resources": ["pods/*", "pods/log", "*/scale", "a/scale", "", "*", "a"]}),
         [(f"spec.matchConstraints.resourceRules[0].resources{field}", text) for field, text in (
             ("[1]", "Invalid value: \"pods/log\": if 'pods/*' is present, must not specify pods/log"),
             ("[3]", "Invalid value: \"a/scale\": if '*/scale' is present, must not specify a/scale"),
             ("[4]", "Required value"),
             ("", "Invalid value: [\"pods/*\",\"pods/log\",\"*/scale\",\"a/scale\",\"\",\"*\",\"a\"]: if '*' is "
              "present, must not specify other resources without subresources"),
         )], "and no resource twice"),
        (validating({**RULE, "resourceNames": ["a", "a", "b/c"]}),
         [("spec.matchConstraints.resourceRules[0].resourceNames[1]", 'Duplicate value: "a"'),
          ("spec.matchConstraints.resourceRules[0].resourceNames[2]", "Invalid value: \"b/c\": may not contain '/'")],
         "nor a name"),
        (constrained(objectSelector={"matchLabels": {"a b": "x"}}),
         [("spec.matchConstraints.objectSelector.matchLabels", f'Invalid value: "a b": {NAME_PART}')], "labels are"),
        (validating(paramKind={"apiVersion": "A/1", "kind": "my_kind"}),
         [("spec.paramKind.apiVersion", f'Invalid value: "A": {SUBDOMAIN}'),
          ("spec.paramKind.apiVersion", f'Invalid value: "1": {LABEL}'),
          ("spec.paramKind.kind",
           f'Invalid value: "my_kind": may have mixed case, but should otherwise match: {LABEL}')],
         "parameters are of a kind"),
        (validating(paramKind={"apiVersion": "a/b/c", "kind": ""}),
         [("spec.paramKind.apiVersion", 'Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'),
          ("spec.paramKind.kind", "Required value")], "that can be found"),
        (validating(matchConditions=[{"name": "a b", "expression": "true"}, {"expression": " "}]),
         [("spec.matchConditions[0].name", f'Invalid value: "a b": {NAME_PART}'),
          ("spec.matchConditions[1].expression", "Required value"),
          ("spec.matchConditions[1].name", "Required value")], "conditions are named"),
        (validating(variables=[{"name": "in", "expression": "1"}, {"name": "a", "expression": "1"},
                               {"name": "a", "expression": "2"}]),
         [("spec.variables[0].name", 'Invalid value: "in": must be a valid CEL identifier'),
          ("spec.variables[2].name", 'Duplicate value: "a"')], "and so are variables"),
        (validating(validations=[{"expression": "true", "message": " ", "messageExpression": " ", "reason": "Odd"}]),
         [("spec.validations[0].messageExpression", 'Invalid value: " ": must be non-empty if specified'),
          ("spec.validations[0].message", 'Invalid value: " ": must be non-empty if specified'),
          ("spec.validations[0].reason",
           'Unsupported value: "Odd": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"')],
         "a denial says why"),
        (validating(auditAnnotations=[{"key": "a", "valueExpression": "'x'"}, {"key": "a", "valueExpression": ""},
                                      {"key": "", "valueExpression": f"'{'x' * 5120}'"}]),
         [("spec.auditAnnotations[1].valueExpression", "Required value: valueExpression is not specified"),
          ("spec.auditAnnotations[1].key", 'Duplicate value: "a"'),
          ("spec.auditAnnotations[2].key", 'Invalid value: "p/": name part must be non-empty'),
          ("spec.auditAnnotations[2].key", f'Invalid value: "p/": {NAME_PART}'),
          ("spec.auditAnnotations[2].valueExpression", "Required value: must not exceed 5120 bytes in length")],
         "a remark has a name of its own"),
        (validating(auditAnnotations=[{"key": f"k{n}", "valueExpression": "'x'"} for n in range(21)]),
         [("spec.auditAnnotations", f"Invalid value: [{REMARKS}]: must not have more than 20 auditAnnotations")],
         "there are few"),
    ],
)  # fmt: skip
def test_validating_policies(policy: Any, found: Found, reason: str) -> None:
    assert said(checks.validating_policy(policy)) == found, reason


def mutating(*mutations: Any, **spec: Any) -> dict[str, Any]:
    whole = {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": [RULE]}, "reinvocationPolicy": "Never"}
    return {"metadata": {"name": "p"}, "spec": {**whole, "mutations": list(mutations), **spec}}


APPLY = {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}


@pytest.mark.parametrize(
    ("policy", "found", "reason"),
    [
        (mutating(APPLY), [], "a good one"),
        (mutating({}, {"patchType": "Merge"}),
         [("spec.mutations[0].patchType", "Required value"), ("spec.mutations[1].patchType",
           'Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch"')], "one of two ways"),
        (mutating({**APPLY, "jsonPatch": {"expression": "[]"}}, {"patchType": "JSONPatch"},
                  {"patchType": "JSONPatch", "jsonPatch": {"expression": ""}}),
         [("spec.mutations[0].jsonPatch",
           'Invalid value: "{jsonPatch}": must not be specified when patchType is ApplyConfiguration'),
          ("spec.mutations[1].jsonPatch", "Required value: must be specified when patchType is JSONPatch"),
          ("spec.mutations[2].jsonPatch.expression", "Required value")], "and that one whole"),
        (mutating(APPLY, matchConstraints={"resourceRules": [{**RULE, "operations": ["DELETE"]}]}),
         [("spec.matchConstraints.resourceRules.operations",
           'Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"')], "what goes stays"),
        (mutating(APPLY, reinvocationPolicy="", failurePolicy=None),
         [("spec.failurePolicy", "Required value"), ("spec.reinvocationPolicy", "Required value")], "all is said"),
    ],
)  # fmt: skip
def test_mutating_policies(policy: Any, found: Found, reason: str) -> None:
    assert said(checks.mutating_policy(policy)) == found, reason


def bound(kind: str = "ValidatingAdmissionPolicyBinding", **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "spec": {"policyName": "p", "validationActions": ["Deny"], **spec}}


EXCLUSIVE = "Forbidden: name and selector are mutually exclusive"


@pytest.mark.parametrize(
    ("binding", "found", "reason"),
    [
        (bound(), [], "a good one"),
        (bound(policyName="P"), [("spec.policyName", f'Invalid value: "P": {SUBDOMAIN}')], "of a policy there can be"),
        (bound(paramRef={"name": "a/b", "selector": {"matchLabels": {"-": ""}}, "parameterNotFoundAction": "Ask"}),
         [("spec.paramRef.name", "Invalid value: \"a/b\": may not contain '/'"), ("spec.paramRef.name", EXCLUSIVE),
          ("spec.paramRef.selector.matchLabels", f'Invalid value: "-": {NAME_PART}'),
          ("spec.paramRef.selector", EXCLUSIVE),
          ("spec.paramRef.parameterNotFoundAction",
           'Unsupported value: "Ask": supported values: "Deny", "Allow"')], "with parameters that can be found"),
        (bound(validationActions=["Warn", "Deny", "Warn", "Shout"]),
         [("spec.validationActions[2]", 'Duplicate value: "Warn"'),
          ("spec.validationActions[3]", 'Unsupported value: "Shout": supported values: "Audit", "Deny", "Warn"'),
          ("spec.validationActions", 'Invalid value: ["Warn","Deny","Warn","Shout"]: must not contain both Deny and '
           "Warn (repeating the same validation failure information in the API response and headers serves no "
           "purpose)")], "and actions that differ"),
        (bound("MutatingAdmissionPolicyBinding",
               matchResources={"resourceRules": [{**RULE, "operations": ["DELETE"]}]}),
         [("spec.matchResources.resourceRules.operations",
           'Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"')], "where it can act"),
    ],
)  # fmt: skip
def test_bindings_of_policies(binding: Any, found: Found, reason: str) -> None:
    assert said(checks.binding(binding)) == found, reason


def hook(**fields: Any) -> dict[str, Any]:
    return {
        "name": "a.example.org",
        "clientConfig": {"url": "https://hooks.example.org/a"},
        "rules": [RULE],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **fields,
    }


@pytest.mark.parametrize(
    ("hooks", "found", "reason"),
    [
        ([hook()], [], "a good one"),
        ([hook(name=""), hook(name="A.b.c"), hook(name="b.c")],
         [("webhooks[0].name", "Required value"), ("webhooks[1].name", f'Invalid value: "A.b.c": {SUBDOMAIN}'),
          ("webhooks[2].name",
           'Invalid value: "b.c": should be a domain with at least three segments separated by dots')], "a full name"),
        ([hook(), hook()], [("webhooks[1].name", 'Duplicate value: "a.example.org"')], "of its own"),
        ([hook(sideEffects=None)],
         [("webhooks[0].sideEffects", "Required value: must specify one of None, NoneOnDryRun")], "a dry run"),
        ([hook(sideEffects="Some", failurePolicy="Maybe", matchPolicy="Near", reinvocationPolicy="Twice")],
         [("webhooks[0].failurePolicy", 'Unsupported value: "Maybe": supported values: "Fail", "Ignore"'),
          ("webhooks[0].matchPolicy", 'Unsupported value: "Near": supported values: "Equivalent", "Exact"'),
          ("webhooks[0].sideEffects", 'Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'),
          ("webhooks[0].reinvocationPolicy", 'Unsupported value: "Twice": supported values: "IfNeeded", "Never"')],
         "in known words"),
        ([hook(timeoutSeconds=31)],
         [("webhooks[0].timeoutSeconds", "Invalid value: 31: the timeout value must be between 1 and 30 seconds")],
         "soon"),
        ([hook(admissionReviewVersions=[])],
         [("webhooks[0].admissionReviewVersions", "Required value: must specify one of v1, v1beta1")], "in a language"),
        ([hook(admissionReviewVersions=["v2", "v2"])],
         [("webhooks[0].admissionReviewVersions[1]", 'Invalid value: "v2": duplicate version'),
          ("webhooks[0].admissionReviewVersions", 'Invalid value: ["v2","v2"]: must include at least one of v1, '
           "v1beta1")], "upstream knows"),
        ([hook(admissionReviewVersions=["v1beta1"])],
         [("webhooks[0].admissionReviewVersions", 'Invalid value: ["v1beta1"]: must include v1, the only version of '
           "AdmissionReview that is sent")], "and we speak"),
        ([hook(clientConfig={"url": "http://hooks.example.org?a=b"})],
         [("webhooks[0].clientConfig.url", "Invalid value: \"http\": 'https' is the only allowed URL scheme; desired "
           "format: https://host[/path]"),
          ("webhooks[0].clientConfig.url", 'Invalid value: "a=b": query parameters are not permitted in the URL')],
         "at a plain address"),
        ([hook(namespaceSelector={"matchExpressions": [{"key": "a", "operator": "In"}]})],
         [("webhooks[0].namespaceSelector.matchExpressions[0].values",
           "Required value: must be specified when `operator` is 'In' or 'NotIn'")], "for some namespaces"),
        ([hook(matchConditions=[{"name": "a", "expression": "1"}])],
         [("webhooks[0].matchConditions[0].expression", 'Invalid value: "1": must evaluate to bool but got int')],
         "under a condition"),
    ],
)  # fmt: skip
def test_webhooks(hooks: list[Any], found: Found, reason: str) -> None:
    assert said(configurations.check(hooks)) == found, reason
