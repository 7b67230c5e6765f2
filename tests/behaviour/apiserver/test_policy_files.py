"""Real policies: valid ones are accepted and decide, invalid ones are refused."""

from __future__ import annotations

from typing import Any

from tests.corpus import corpus

from portway.apiserver.admission.policies.definitions import ValidatingPolicy
from portway.krm.decoding import documents

GROUP = "/apis/admissionregistration.k8s.io/v1"
PLURALS = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
REFUSED = {
    "kubernetes__website__content-en-examples-validatingadmissionpolicy-failure-policy-ignore.yaml",  # no spec
    # From before validationActions had to be given.
    "kubescape__cel-admission-library__docs-validating-admission-policies-deny-pods-without-app-label-policy-binding.yaml",
}


def policies() -> list[tuple[str, Any]]:
    found = []
    for path in sorted((corpus() / "policies").glob("*.yaml")):
        for document in documents(path.read_text()):
            if isinstance(document.value, dict) and document.value.get("kind") in PLURALS:
                found.append((path.name, document.value))
    return found


async def test_every_policy_of_the_corpus_is_judged_rightly(api: Any) -> None:
    listed = policies()
    assert len(listed) > 12
    for name, manifest in listed:
        answer = await api.call("POST", f"{GROUP}/{PLURALS[manifest['kind']]}", manifest, fieldValidation="Strict")
        assert answer.status_code == (422 if name in REFUSED else 201), f"{name}: {answer.text}"


def test_expressions_of_the_corpus_compile() -> None:
    decided = 0
    for name, manifest in policies():
        if manifest["kind"] != "ValidatingAdmissionPolicy" or not manifest.get("spec"):
            continue
        policy = ValidatingPolicy(manifest)
        for validation in policy.validations:
            assert validation.expression.program is not None, f"{name}: {validation.expression.error}"
            decided += 1
    assert decided > 20
