"""The admission step of ValidatingAdmissionPolicy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.inputs import Inputs
from portway.apiserver.admission.matching import Matcher
from portway.apiserver.admission.policies.bound import BoundPolicies
from portway.apiserver.admission.policies.definitions import Binding, ValidatingPolicy, Validation
from portway.apiserver.admission.policies.expressions import Evaluation, Failure, conditions_hold
from portway.apiserver.admission.policies.params import Params
from portway.apiserver.rbac import Grants
from portway.krm.cel.programs import Budget
from portway.krm.cel.rules import MESSAGE_LIMIT
from portway.krm.errors import Cause, StatusError, forbidden
from portway.krm.identity import Manifest
from portway.store.contract import Reads

_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}
_FAILURES_KEY = "validation.policy.admission.k8s.io/validation_failure"
_ANNOTATION_LIMIT = 10 * 1024


@dataclass(frozen=True, slots=True)
class Denial:
    policy: str
    binding: str
    message: str
    reason: str = "Invalid"


@dataclass(slots=True)
class _Outcome:
    """What the policies said of one request."""

    denials: list[Denial] = field(default_factory=list)
    failures: list[Manifest] = field(default_factory=list)
    annotations: dict[str, list[str]] = field(default_factory=dict)


class ValidatingPolicies:
    def __init__(self, cache: Reads, matcher: Matcher, params: Params, grants: Grants) -> None:
        self._bound = BoundPolicies(ValidatingPolicy, cache, matcher, params, grants)
        self.followers = self._bound.followers
        self.find = self._bound.find

    async def admit(self, request: AdmissionRequest) -> None:
        found = self._bound.of(request)
        if not found:
            return
        outcome = _Outcome()
        for each in found:
            for binding, seen in self._bound.matching(each, request):
                await self._apply(each.policy, binding, seen, outcome)
        _record(request, outcome)
        if outcome.denials:
            raise refusal(request, outcome.denials[0])

    async def _apply(
        self, policy: ValidatingPolicy, binding: Binding, request: AdmissionRequest, outcome: _Outcome
    ) -> None:
        try:
            params = await self._bound.params_of(policy, binding, request)
        except Failure as failure:
            if policy.fails:
                outcome.denials.append(Denial(policy.name, binding.name, str(failure)))
            return
        given = self._bound.inputs(request)
        for param in params:
            for index, message, reason in _decide(policy, given, param):
                _act(policy, binding, request, outcome, decided=(index, message, reason))
            self._annotate(policy, binding, Evaluation(given, policy.variables, param, Budget()), outcome)

    def _annotate(self, policy: ValidatingPolicy, binding: Binding, evaluation: Evaluation, outcome: _Outcome) -> None:
        for key, expression in policy.annotations:
            try:
                value = evaluation.of(expression)
            except Failure as failure:
                if policy.fails:
                    outcome.denials.append(Denial(policy.name, binding.name, str(failure)))
                continue
            text = value.strip()[:_ANNOTATION_LIMIT] if isinstance(value, str) else ""
            known = outcome.annotations.setdefault(f"{policy.name}/{key}", [])
            if text and text not in known:
                known.append(text)


def _decide(policy: ValidatingPolicy, given: Inputs, params: Manifest | None) -> Iterable[tuple[int, str, str]]:
    """(index of the validation, message, reason) of what denies."""
    try:
        if not conditions_hold(policy.conditions, given, policy.variables, params):
            return
    except Failure as failure:
        if policy.fails:
            yield 0, str(failure), "Invalid"
        return
    evaluation = Evaluation(given, policy.variables, params, Budget())
    for index, validation in enumerate(policy.validations):
        try:
            good = evaluation.of(validation.expression)
        except Failure as failure:
            if policy.fails:
                yield index, str(failure), "Invalid"
            continue
        if good is not True:
            yield index, _message(validation, evaluation), validation.reason


def _message(validation: Validation, evaluation: Evaluation) -> str:
    if validation.message_expression is not None:
        try:
            made = evaluation.of(validation.message_expression)
        except Failure:
            made = ""
        text = made.strip() if isinstance(made, str) else ""
        if text and "\n" not in text and len(text) <= MESSAGE_LIMIT:
            return text
    return validation.message or f"failed expression: {validation.expression.source.strip()}"


def _act(
    policy: ValidatingPolicy,
    binding: Binding,
    request: AdmissionRequest,
    outcome: _Outcome,
    *,
    decided: tuple[int, str, str],
) -> None:
    index, message, reason = decided
    for action in binding.actions:
        if action == "Deny":
            outcome.denials.append(Denial(policy.name, binding.name, message, reason))
        elif action == "Warn":
            request.warnings.append(
                f"Validation failed for ValidatingAdmissionPolicy '{policy.name}' with binding '{binding.name}': "
                f"{message}"
            )
        elif action == "Audit":
            outcome.failures.append(
                {
                    "message": message,
                    "policy": policy.name,
                    "binding": binding.name,
                    "expressionIndex": index,
                    "validationActions": list(binding.actions),
                }
            )


def _record(request: AdmissionRequest, outcome: _Outcome) -> None:
    for key, found in outcome.annotations.items():
        if found:
            request.annotations[key] = ", ".join(found)
    if outcome.failures:
        request.annotations[_FAILURES_KEY] = json.dumps(outcome.failures[:50])


def refusal(request: AdmissionRequest, denial: Denial) -> StatusError:
    message = (
        f"ValidatingAdmissionPolicy '{denial.policy}' with binding '{denial.binding}' denied request: {denial.message}"
    )
    served = request.resource.served
    error = forbidden(served.plural, request.name, message, served.gvk.group)
    error.reason, error.code = denial.reason, _CODES.get(denial.reason, 422)
    error.causes = (Cause("", message),)
    return error
