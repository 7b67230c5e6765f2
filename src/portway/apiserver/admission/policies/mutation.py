"""The admission step of MutatingAdmissionPolicy."""

from __future__ import annotations

import copy
from typing import Any

from portway.apiserver.admission import rewriting
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.matching import Matcher
from portway.apiserver.admission.policies.bound import Bound, BoundPolicies
from portway.apiserver.admission.policies.definitions import Binding, MutatingPolicy
from portway.apiserver.admission.policies.expressions import Evaluation, Expression, Failure, conditions_hold
from portway.apiserver.admission.policies.params import Params
from portway.apiserver.rbac import Grants
from portway.krm.apply import atoms, merging
from portway.krm.cel.programs import Budget
from portway.krm.cel.values import NONE, Duration, Optional, StructValue
from portway.krm.errors import Cause, StatusError, forbidden
from portway.krm.identity import Manifest
from portway.krm.patches import json_patch
from portway.krm.schemas import defaulting
from portway.krm.values import same
from portway.store.contract import Reads

_ROUNDS = 2
"""Once for all, and once more for those that ask for it when others changed the object."""


class MutatingPolicies:
    def __init__(self, cache: Reads, matcher: Matcher, params: Params, grants: Grants) -> None:
        self._bound = BoundPolicies(MutatingPolicy, cache, matcher, params, grants)
        self.followers = self._bound.followers
        self.find = self._bound.find

    async def admit(self, request: AdmissionRequest) -> None:
        if request.object is None:
            return
        found = self._bound.of(request)
        changed = False
        for again in range(_ROUNDS):
            for each in found:
                if again and not (each.policy.reinvokes and changed):
                    continue
                changed |= await self._apply(each, request)

    async def _apply(self, bound: Bound[MutatingPolicy], request: AdmissionRequest) -> bool:
        """Whether the object changed."""
        before, policy = copy.deepcopy(request.object), bound.policy
        for binding, seen in self._bound.matching(bound, request):
            try:
                for param in await self._bound.params_of(policy, binding, seen):
                    self._mutate(policy, request, param)
            except Failure as failure:
                if policy.fails:
                    raise _refusal(request, policy, binding, str(failure)) from None
        return not same(before, request.object)

    def _mutate(self, policy: MutatingPolicy, request: AdmissionRequest, params: Manifest | None) -> None:
        if not conditions_hold(policy.conditions, self._bound.inputs(request), policy.variables, params):
            return
        for kind, expression in policy.mutations:
            given = self._bound.inputs(self._bound.seen(policy, request) or request)
            changed = _changed(kind, expression, Evaluation(given, policy.variables, params, Budget()), request)
            defaulting.default(request.resource.served.schema, changed)
            rewriting.replace_object(request, changed)


def _changed(kind: str, expression: Expression, evaluation: Evaluation, request: AdmissionRequest) -> Manifest:
    current = request.object or {}
    made = evaluation.of(expression)
    if kind == "JSONPatch":
        try:
            return json_patch(copy.deepcopy(current), [_operation(item) for item in made])
        except StatusError as error:
            if error.code == 422:  # a test failed: the patch is not applied
                return copy.deepcopy(current)
            raise Failure(f"JSON Patch: {error.message}") from None
    _check_names(made, "Object")
    patch = to_json(made)
    atom = atoms.of(request.resource.served.schema)
    atomic = list(_atomics(atom, patch, ""))
    if atomic:
        shown = ", ".join(atomic)
        raise Failure(
            f"error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {shown}"
        )
    merged: Manifest = merging.merge(atom, current, patch)
    return copy.deepcopy(merged)


def _operation(value: StructValue) -> Manifest:
    return {key: to_json(item) for key, item in value.fields.items()}


def _check_names(value: Any, expected: str) -> None:
    """``Object.spec{…}`` stands in field spec. Raises Failure."""
    if isinstance(value, StructValue):
        if value.name != expected:
            raise Failure(
                f'type mismatch: unexpected type name "{value.name}", expected "{expected}", which matches field name '
                "path from root Object type"
            )
        for name, child in value.fields.items():
            _check_names(child, f"{expected}.{name}")
    elif isinstance(value, list):
        for item in value:
            _check_names(item, expected)


def to_json(value: Any) -> Any:
    from portway.krm.cel.library import conversions

    if isinstance(value, StructValue):
        return {key: to_json(item) for key, item in value.fields.items()}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, Optional):
        return to_json(value.value) if value is not NONE and value.has else None
    if isinstance(value, Duration):
        return conversions.show_duration(value)
    if hasattr(value, "isoformat"):
        return conversions.show_timestamp(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _atomics(atom: atoms.Atom, value: Any, path: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, dict) and atom.map is not None:
        if atom.map.atomic:
            found.append(path)
        for key, item in value.items():
            child = atom.map.child(key)
            if child is not None:
                found += _atomics(child, item, f"{path}.{key}")
    elif isinstance(value, list) and atom.list is not None and atom.list.atomic:
        found.append(path)
    return found


def _refusal(request: AdmissionRequest, policy: MutatingPolicy, binding: Binding, why: str) -> StatusError:
    served = request.resource.served
    message = f"policy '{policy.name}' with binding '{binding.name}' denied request: {why}"
    error = forbidden(served.plural, request.name, message, served.gvk.group)
    error.message, error.reason, error.code = message, "Invalid", 422
    error.causes = (Cause("", message),)
    return error
