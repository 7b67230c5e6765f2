"""Validating and mutating policies at work."""

from __future__ import annotations

from typing import Any

import pytest

GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{GROUP}/validatingadmissionpolicies"
BINDINGS = f"{GROUP}/validatingadmissionpolicybindings"
CONFIGS = "/api/v1/namespaces/default/configmaps"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}


def policy(*validations: Any, kind: str = "ValidatingAdmissionPolicy", version: str = "v1", **spec: Any) -> Any:
    body = {"matchConstraints": {"resourceRules": [RULE]}, **spec}
    if validations:
        body["validations"] = list(validations)
    api_version = f"admissionregistration.k8s.io/{version}"
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "p"}, "spec": body}


def binding(*actions: str, kind: str = "ValidatingAdmissionPolicyBinding", version: str = "v1", **spec: Any) -> Any:
    body = {"policyName": "p", **({"validationActions": list(actions)} if actions else {}), **spec}
    api_version = f"admissionregistration.k8s.io/{version}"
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "b"}, "spec": body}


async def put_in_force(api: Any, made: Any, *actions: str, **spec: Any) -> None:
    await api.post(POLICIES, made)
    await api.post(BINDINGS, binding(*actions, **spec))


DENIED = "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "
BY_A = {"expression": "has(object.data) && 'a' in object.data"}


@pytest.mark.parametrize(
    ("reason", "made", "data", "message"),
    [
        (
            "the expression is the default message",
            policy(BY_A),
            {},
            "failed expression: has(object.data) && 'a' in object.data",
        ),
        ("a message", policy({**BY_A, "message": " needs a "}), {}, "needs a"),
        (
            "a message expression",
            policy({**BY_A, "message": "no", "messageExpression": "'keys: ' + string(size(object.data))"}),
            {"b": ""},
            "keys: 1",
        ),
        ("a good request passes", policy(BY_A), {"a": "1"}, None),
        (
            "variables are shared",
            policy({"expression": "variables.n > 1"}, variables=[{"name": "n", "expression": "size(object.data)"}]),
            {"a": ""},
            "failed expression: variables.n > 1",
        ),
        (
            "an expression that fails denies",
            policy({"expression": "object.nope == 1"}),
            {},
            "expression 'object.nope == 1' resulted in error: no such key: nope",
        ),
        (
            "or not, when failures are ignored",
            policy({"expression": "object.nope == 1"}, failurePolicy="Ignore"),
            {},
            None,
        ),
        (
            "match conditions",
            policy({"expression": "false"}, matchConditions=[{"name": "c", "expression": "'x' in object.data"}]),
            {"a": ""},
            None,
        ),
        (
            "who asks",
            policy({"expression": "request.userInfo.username != 'system:portway'"}),
            {},
            "failed expression: request.userInfo.username != 'system:portway'",
        ),
        (
            "what may be done",
            policy(
                {"expression": "authorizer.group('').resource('secrets').namespace('default').check('get').allowed()"}
            ),
            {},
            None,
        ),
        (
            "and about this object",
            policy({"expression": "!authorizer.requestResource.check('delete').allowed()"}),
            {},
            "failed expression: !authorizer.requestResource.check('delete').allowed()",
        ),
        (
            "where it is",
            policy({"expression": "namespaceObject.metadata.name == 'default' && request.namespace == 'default'"}),
            {},
            None,
        ),
        (
            "excluded resources",
            policy(
                {"expression": "false"},
                matchConstraints={"resourceRules": [RULE], "excludeResourceRules": [{**RULE, "resourceNames": ["a"]}]},
            ),
            {},
            None,
        ),
        (
            "namespace selectors",
            policy(
                {"expression": "false"},
                matchConstraints={"resourceRules": [RULE], "namespaceSelector": {"matchLabels": {"env": "prod"}}},
            ),
            {},
            None,
        ),
    ],
)
async def test_policies_decide(api: Any, make: Any, reason: str, made: Any, data: Any, message: str | None) -> None:
    await put_in_force(api, made, "Deny")
    answer = await api.call("POST", CONFIGS, make.config("a", **data))
    if message is None:
        assert answer.status_code == 201, f"{reason}: {answer.text}"
        return
    status = answer.json()
    assert (status["code"], status["reason"], status["message"]) == (422, "Invalid", DENIED + message), reason


async def test_an_update_is_compared_with_what_was(api: Any, make: Any) -> None:
    await put_in_force(api, policy({"expression": "oldObject == null || object.data.a == oldObject.data.a"}), "Deny")
    await api.post(CONFIGS, make.config("a", a="1"))
    assert (
        await api.refused(
            "PATCH", f"{CONFIGS}/a", {"data": {"a": "2"}}, headers={"content-type": "application/merge-patch+json"}
        )
    )[0] == 422
    await api.patch(f"{CONFIGS}/a", {"data": {"b": "2"}})


async def test_a_reason_decides_the_code(api: Any, make: Any) -> None:
    await put_in_force(api, policy({"expression": "false", "reason": "Forbidden"}), "Deny")
    assert (await api.refused("POST", CONFIGS, make.config("a")))[:2] == (403, "Forbidden")


async def test_warnings_are_sent_and_deny_nothing(api: Any, make: Any) -> None:
    await put_in_force(api, policy({"expression": "false", "message": "odd"}), "Warn", "Audit")
    answer = await api.call("POST", CONFIGS, make.config("a"))
    assert answer.status_code == 201
    assert "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': odd" in answer.headers["warning"]


@pytest.mark.parametrize(
    ("reason", "ref", "message"),
    [
        (
            "by name",
            {"name": "limits", "parameterNotFoundAction": "Deny"},
            "failed expression: size(object.data) <= int(params.data.most)",
        ),
        (
            "by selector",
            {"selector": {"matchLabels": {"limits": "yes"}}, "parameterNotFoundAction": "Deny"},
            "failed expression: size(object.data) <= int(params.data.most)",
        ),
        (
            "missing and denied",
            {"name": "other", "parameterNotFoundAction": "Deny"},
            "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
        ),
        ("missing and allowed", {"name": "other", "parameterNotFoundAction": "Allow"}, None),
    ],
)
async def test_parameters(api: Any, make: Any, reason: str, ref: Any, message: str | None) -> None:
    limits = make.config("limits", most="1")
    limits["metadata"]["labels"] = {"limits": "yes"}
    await api.post(CONFIGS, limits)
    made = policy(
        {"expression": "size(object.data) <= int(params.data.most)"},
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
    )
    await put_in_force(api, made, "Deny", paramRef=ref)
    answer = await api.call("POST", CONFIGS, make.config("a", x="1", y="2"))
    assert answer.status_code == (422 if message else 201), reason
    if message:
        assert answer.json()["message"] == DENIED + message, reason


async def test_status_warns_of_expressions_that_do_not_fit_the_kind(api: Any) -> None:
    created = await api.post(POLICIES, policy({"expression": "object.replicas > 1"}))
    (warning,) = created["status"]["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression"
    assert warning["warning"].startswith(
        "v1, Kind=ConfigMap: compilation failed: ERROR: <input>:1:7: undefined field 'replicas'"
    )
    assert created["status"]["observedGeneration"] == 1


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (policy(), "spec.validations: Required value: validations or auditAnnotations must contain at least one item"),
        (policy({"expression": "object.x =="}), "compilation failed: ERROR: <input>:1:12: Syntax error"),
        (
            policy({"expression": "1"}),
            'spec.validations[0].expression: Invalid value: "1": must evaluate to bool but got int',
        ),
        (policy({"expression": "nope"}), "undeclared reference to 'nope' (in container '')"),
        (policy({"expression": "params.x"}), "undeclared reference to 'params'"),
        (
            policy({"expression": "true", "reason": "Odd"}),
            'Unsupported value: "Odd": supported values: "Forbidden", "Invalid"',
        ),
        (policy({"expression": "true"}, failurePolicy="Maybe"), 'spec.failurePolicy: Unsupported value: "Maybe"'),
        (policy({"expression": "variables.x"}, variables=[{"name": "y", "expression": "1"}]), "undefined field 'x'"),
        (policy({"expression": "true"}, matchConstraints={}), "spec.matchConstraints.resourceRules: Required value"),
        (policy({"expression": "true"}, matchConditions=[{"name": "c", "expression": "1"}]), "must evaluate to bool"),
    ],
)
async def test_bad_policies_are_refused(api: Any, made: Any, message: str) -> None:
    code, reason, text = await api.refused("POST", POLICIES, made)
    assert (code, reason) == (422, "Invalid")
    assert message in text


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (binding("Deny", "Warn"), "must not contain both Deny and Warn"),
        (binding(), "spec.validationActions: Required value"),
        (
            binding("Deny", paramRef={"name": "a", "selector": {}, "parameterNotFoundAction": "Deny"}),
            "name and selector are mutually exclusive",
        ),
        (binding("Deny", paramRef={"name": "a"}), "spec.paramRef.parameterNotFoundAction: Required value"),
    ],
)
async def test_bad_bindings_are_refused(api: Any, made: Any, message: str) -> None:
    assert message in (await api.refused("POST", BINDINGS, made))[2]


async def test_policies_of_one_workspace_do_not_reach_another(api: Any, make: Any) -> None:
    for name in ("one", "two"):
        await api.post(
            "/apis/tenancy.kcp.io/v1alpha1/workspaces",
            {"apiVersion": "tenancy.kcp.io/v1alpha1", "kind": "Workspace", "metadata": {"name": name}, "spec": {}},
        )
    await put_in_force(api.at("root:one"), policy({"expression": "false"}), "Deny")
    assert (await api.at("root:one").refused("POST", CONFIGS, make.config("a")))[0] == 422
    await api.at("root:two").post(CONFIGS, make.config("a"))


MUTATING = "MutatingAdmissionPolicy"


def mutation(kind: str, expression: str, **spec: Any) -> Any:
    field = "applyConfiguration" if kind == "ApplyConfiguration" else "jsonPatch"
    body = {"mutations": [{"patchType": kind, field: {"expression": expression}}], **spec}
    return policy(kind=MUTATING, **body)


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
@pytest.mark.parametrize(
    ("kind", "expression", "found"),
    [
        (
            "ApplyConfiguration",
            "Object{metadata: Object.metadata{labels: {'by': 'policy'}}}",
            {"by": "policy", "old": "yes"},
        ),
        (
            "JSONPatch",
            "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b'), value: 'x'}]",
            {"a/b": "x", "old": "yes"},
        ),
        (
            "JSONPatch",
            "[JSONPatch{op: 'test', path: '/metadata/name', value: 'z'}, JSONPatch{op: 'remove', path: '/data'}]",
            {"old": "yes"},
        ),
    ],
)
async def test_mutating_policies_change_objects(
    api: Any, make: Any, version: str, kind: str, expression: str, found: Any
) -> None:
    base = f"/apis/admissionregistration.k8s.io/{version}"
    made = mutation(kind, expression)
    made["apiVersion"] = f"admissionregistration.k8s.io/{version}"
    await api.post(f"{base}/mutatingadmissionpolicies", made)
    await api.post(f"{base}/mutatingadmissionpolicybindings", binding(kind=f"{MUTATING}Binding", version=version))
    body = make.config("a")
    body["metadata"]["labels"] = {"old": "yes"}
    assert (await api.post(CONFIGS, body))["metadata"]["labels"] == found


async def test_a_mutation_that_fails_denies(api: Any, make: Any) -> None:
    await api.post(
        f"{GROUP}/mutatingadmissionpolicies", mutation("ApplyConfiguration", "Object{data: {'a': object.nope}}")
    )
    await api.post(f"{GROUP}/mutatingadmissionpolicybindings", binding(kind=f"{MUTATING}Binding"))
    assert await api.refused("POST", CONFIGS, make.config("a")) == (
        422,
        "Invalid",
        "policy 'p' with binding 'b' denied request: expression 'Object{data: {'a': object.nope}}' resulted in error: "
        "no such key: nope",
    )


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (mutation("ApplyConfiguration", "1"), "must evaluate to Object but got int"),
        (mutation("JSONPatch", "Object{}"), "must evaluate to list(JSONPatch) but got Object"),
        (mutation("JSONPatch", "[JSONPatch{nope: 1}]"), "undefined field 'nope'"),
        (policy(kind=MUTATING), "spec.mutations: Required value"),
    ],
)
async def test_bad_mutating_policies_are_refused(api: Any, made: Any, message: str) -> None:
    assert message in (await api.refused("POST", f"{GROUP}/mutatingadmissionpolicies", made))[2]


RBAC = "rbac.authorization.k8s.io"


async def _policy_maker(api: Any, server: Any, *rules: Any) -> Any:
    """Mallory may make policies, and what the rules say."""
    access = {"verbs": ["access"], "nonResourceURLs": ["/"]}
    making = {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]}
    role = {"metadata": {"name": "makers"}, "rules": [access, making, *rules]}
    await api.post(f"/apis/{RBAC}/v1/clusterroles", role)
    subject = {"kind": "User", "name": "mallory", "apiGroup": RBAC}
    ref = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "makers"}
    body = {"metadata": {"name": "mallory"}, "subjects": [subject], "roleRef": ref}
    await api.post(f"/apis/{RBAC}/v1/clusterrolebindings", body)
    return api.as_user(await server.tokens.mint("mallory"))


TELLING = {"expression": "false", "messageExpression": "string(params.data.word)"}
SECRETS = {"apiVersion": "v1", "kind": "Secret"}
BY_NAME = {"name": "s", "namespace": "default", "parameterNotFoundAction": "Allow"}


async def test_nobody_has_a_policy_read_what_he_may_not_read(api: Any, server: Any) -> None:
    mallory = await _policy_maker(api, server)
    told = (await mallory.refused("POST", POLICIES, policy(TELLING, paramKind=SECRETS)))[2]
    assert told.endswith(
        'spec.paramKind: Forbidden: user mallory must have "get" permission on all objects of the referenced paramKind '
        "(kind=Secret, apiVersion=v1)"
    )
    await api.post(POLICIES, policy(TELLING, paramKind=SECRETS))
    by_selector = {"selector": {}, "namespace": "default", "parameterNotFoundAction": "Allow"}
    for ref, verb in ((BY_NAME, "get"), (by_selector, "list")):
        told = (await mallory.refused("POST", BINDINGS, binding("Warn", paramRef=ref)))[2]
        assert told.endswith(
            f'spec.paramRef: Forbidden: user mallory does not have "{verb}" permission on the object referenced by '
            "paramRef"
        )
    unknown = binding("Warn", paramRef=BY_NAME)
    unknown["spec"]["policyName"] = "none"
    told = (await mallory.refused("POST", BINDINGS, unknown))[2]
    assert "spec.paramRef: Forbidden: unable to get policy none to determine minimum required permissions" in told


async def test_who_may_read_an_object_may_make_it_a_param(api: Any, server: Any) -> None:
    mallory = await _policy_maker(api, server, {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]})
    await api.post("/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}, "stringData": {"word": "w"}})
    await mallory.post(POLICIES, policy({"expression": "false"}, paramKind=SECRETS))
    await mallory.post(BINDINGS, binding("Warn", paramRef=BY_NAME))
    assert (
        "failed expression: false" in (await api.call("POST", CONFIGS, {"metadata": {"name": "a"}})).headers["warning"]
    )


async def test_no_policy_sees_or_changes_tokens_and_keys(api: Any, server: Any) -> None:
    mallory = await _policy_maker(api, server, {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    vault = "/api/v1/namespaces/portway-system/secrets"
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    await mallory.post(POLICIES, policy({"expression": "false"}, matchConstraints={"resourceRules": [everything]}))
    await mallory.post(BINDINGS, binding("Deny"))
    mutation = {"patchType": "JSONPatch", "jsonPatch": {"expression": '[JSONPatch{op: "remove", path: "/data/hash"}]'}}
    mutating = policy(
        kind="MutatingAdmissionPolicy",
        matchConstraints={"resourceRules": [{**everything, "resources": ["secrets"]}]},
        mutations=[mutation],
        reinvocationPolicy="Never",
        failurePolicy="Fail",
    )
    await mallory.post(f"{GROUP}/mutatingadmissionpolicies", mutating)
    await mallory.post(f"{GROUP}/mutatingadmissionpolicybindings", binding(kind="MutatingAdmissionPolicyBinding"))
    assert (await mallory.refused("POST", CONFIGS, {"metadata": {"name": "a"}}))[0] == 422
    token = await server.tokens.mint("grace")
    assert (await api.as_user(token).call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})).is_success
    await mallory.delete(f"{BINDINGS}/b")
    await mallory.delete(f"{POLICIES}/p")
    await api.post(POLICIES, policy({"expression": "size(params.metadata.name) == 0"}, paramKind=SECRETS))
    hidden = {"selector": {}, "namespace": "portway-system", "parameterNotFoundAction": "Deny"}
    assert (await mallory.refused("POST", BINDINGS, binding("Deny", paramRef=hidden)))[0] == 422
    await api.post(BINDINGS, binding("Deny", paramRef=hidden))
    assert "no params found" in (await api.refused("POST", CONFIGS, {"metadata": {"name": "a"}}))[2]
    assert (await api.get(vault))["items"]
