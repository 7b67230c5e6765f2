"""Policies and quotas through kubectl."""

from __future__ import annotations

import json
from typing import Any

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
GROUP = "admissionregistration.k8s.io/v1"


def _list(*items: Any) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)})


def _object(kind: str, name: str, **spec: Any) -> Any:
    return {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_a_policy_denies_and_is_taken_away(kubectl: Any) -> None:
    validation = {
        "expression": "object.metadata.name != 'bad'",
        "messageExpression": "object.metadata.name + ' is bad'",
    }
    policy = _object(
        "ValidatingAdmissionPolicy",
        "names",
        matchConstraints={"resourceRules": [RULE]},
        validations=[validation],
    )
    binding = _object("ValidatingAdmissionPolicyBinding", "names", policyName="names", validationActions=["Deny"])
    kubectl("apply", "-f", "-", stdin=_list(policy, binding))
    kubectl("create", "configmap", "good")
    refused = kubectl("create", "configmap", "bad", fails=True)
    assert "ValidatingAdmissionPolicy 'names' with binding 'names' denied request: bad is bad" in refused
    assert "names" in kubectl("get", "validatingadmissionpolicies")
    kubectl("delete", "validatingadmissionpolicybinding", "names")
    kubectl("create", "configmap", "bad")


def test_a_quota_is_created_described_and_holds(kubectl: Any) -> None:
    kubectl("create", "namespace", "few")
    kubectl("create", "quota", "q", "--hard=count/configmaps=2", "-n", "few")
    kubectl("create", "configmap", "one", "-n", "few")
    refused = kubectl("create", "configmap", "two", "-n", "few", fails=True)
    assert "exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=2" in refused
    assert "count/configmaps" in kubectl("describe", "quota", "q", "-n", "few")
