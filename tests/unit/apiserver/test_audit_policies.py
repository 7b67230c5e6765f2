"""Rules of audit.k8s.io/v1 policies, on cases re-stated from upstream's."""

from __future__ import annotations

from typing import Any

import pytest

from portway.apiserver import auditpolicies
from portway.apiserver.auditpolicies import Asked, Level, PolicyError

TIM = Asked("tim", ("humans",), "get", "", "pods", "", "default", "busybox")
LOGS = TIM._replace(subresource="log")
CLUSTER = Asked("tim", ("humans",), "get", "rbac.authorization.k8s.io", "clusterroles", "", "", "edit")
PATH = Asked("tim", ("humans",), "get", path="/logs/kubelet.log")


def _policy(*rules: dict[str, Any], **more: Any) -> auditpolicies.Policy:
    return auditpolicies.parse({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(rules), **more})


@pytest.mark.parametrize(
    ("rule", "asked", "matches"),
    [
        ({}, TIM, True),
        ({}, PATH, True),
        ({"users": ["tim"]}, TIM, True),
        ({"users": ["bob"]}, TIM, False),
        ({"userGroups": ["dogs", "humans"]}, TIM, True),
        ({"userGroups": ["dogs"]}, TIM, False),
        ({"verbs": ["get"]}, TIM, True),
        ({"verbs": ["create"]}, TIM, False),
        ({"namespaces": ["default"]}, TIM, True),
        ({"namespaces": ["kube-system"]}, TIM, False),
        ({"namespaces": [""]}, CLUSTER, True),
        ({"namespaces": ["default"]}, PATH, False),
        ({"resources": [{"group": ""}]}, TIM, True),
        ({"resources": [{"group": "apps"}]}, TIM, False),
        ({"resources": [{"resources": ["pods"]}]}, TIM, True),
        ({"resources": [{"resources": ["pods"]}]}, LOGS, False),
        ({"resources": [{"resources": ["pods/*"]}]}, LOGS, True),
        ({"resources": [{"resources": ["pods/*"]}]}, TIM, True),
        ({"resources": [{"resources": ["*/log"]}]}, LOGS, True),
        ({"resources": [{"resources": ["*/log"]}]}, TIM, False),
        ({"resources": [{"resources": ["*"]}]}, LOGS, True),
        ({"resources": [{"resources": ["pods"], "resourceNames": ["busybox"]}]}, TIM, True),
        ({"resources": [{"resources": ["pods"], "resourceNames": ["edit"]}]}, TIM, False),
        ({"resources": [{}]}, PATH, False),
        ({"nonResourceURLs": ["/logs*"]}, PATH, True),
        ({"nonResourceURLs": ["*"]}, PATH, True),
        ({"nonResourceURLs": ["/healthz"]}, PATH, False),
        ({"nonResourceURLs": ["*"]}, TIM, False),
    ],
)
def test_a_rule_matches(rule: dict[str, Any], asked: Asked, matches: bool) -> None:
    found = _policy({"level": "Request", **rule}).judge(asked).level
    assert found is (Level.REQUEST if matches else Level.NONE)


def test_the_first_rule_that_matches_decides() -> None:
    policy = _policy(
        {"level": "None", "verbs": ["list"]},
        {"level": "RequestResponse", "users": ["tim"], "omitStages": ["ResponseStarted"]},
        {"level": "Metadata"},
        omitStages=["RequestReceived"],
    )
    verdict = policy.judge(TIM)
    assert verdict.level is Level.REQUEST_RESPONSE
    assert verdict.omitted == {"ResponseStarted", "RequestReceived"}
    assert policy.judge(TIM._replace(verb="list")).level is Level.NONE
    assert policy.judge(TIM._replace(user="bob")).level is Level.METADATA


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({}, "rules[0].level"),
        ({"level": "All"}, "'All', expected one of None, Metadata"),
        ({"level": "None", "omitStages": ["Never"]}, "omitStages"),
        ({"level": "None", "nonResourceURLs": ["/x"], "namespaces": ["y"]}, "both"),
        ({"level": "None", "nonResourceURLs": ["/x/*/y"]}, "at its end"),
        ({"level": "None", "resources": [{"group": "apps/v1"}]}, "without its version"),
        ({"level": "None", "resources": [{"resourceNames": ["x"]}]}, "requires at least one resource"),
        ({"level": "None", "user": ["tim"]}, "rules[0].user: there is no such field"),
        ({"level": "None", "users": "tim"}, "expected a list"),
    ],
)
def test_a_policy_that_would_not_do_what_it_says_is_refused(rule: dict[str, Any], text: str) -> None:
    with pytest.raises(PolicyError) as error:
        _policy(rule)
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("asked", "level"),
    [
        (TIM, Level.NONE),
        (TIM._replace(verb="create"), Level.METADATA),
        (CLUSTER._replace(verb="delete"), Level.METADATA),
        (TIM._replace(verb="update", group="coordination.k8s.io", resource="leases"), Level.NONE),
        (TIM._replace(verb="create", group="authorization.k8s.io", resource="selfsubjectaccessreviews"), Level.NONE),
        (PATH, Level.NONE),
    ],
)
def test_the_default_policy_tells_of_changes(asked: Asked, level: Level) -> None:
    assert auditpolicies.parse(auditpolicies.DEFAULT).judge(asked).level is level
