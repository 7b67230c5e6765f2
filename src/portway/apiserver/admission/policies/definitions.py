"""Policies and bindings as the followers keep them: parsed once, compiled when first needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from portway.apiserver.admission import inputs
from portway.apiserver.admission.matching import Criteria
from portway.apiserver.admission.policies.expressions import Expression, Variables, compiled, variables_of
from portway.krm.identity import Manifest
from portway.store.contract import Key

GROUP = "admissionregistration.k8s.io"


class Policy:
    """What both kinds of policies share."""

    stem = ""
    """How the names of the kind's resources begin."""
    patches = False

    def __init__(self, manifest: Manifest) -> None:
        self.spec: Manifest = manifest.get("spec") or {}
        self.name: str = manifest["metadata"]["name"]
        self.fails = (self.spec.get("failurePolicy") or "Fail") == "Fail"
        self.criteria = Criteria.of(self.spec.get("matchConstraints") or {})
        kind = self.spec.get("paramKind") or {}
        self.param_kind: tuple[str, str] | None = (kind["apiVersion"], kind["kind"]) if kind else None

    @cached_property
    def variables(self) -> Variables:
        return variables_of(self.spec, params=self.param_kind is not None, patches=self.patches)

    @cached_property
    def conditions(self) -> tuple[tuple[str, Expression], ...]:
        scope = inputs.environment(params=self.param_kind is not None)
        return tuple((c["name"], compiled(scope, c["expression"])) for c in self.spec.get("matchConditions") or ())

    def expression(self, source: str, *, authorizer: bool = True) -> Expression:
        scope = inputs.environment(
            params=self.param_kind is not None,
            variables=self.variables.types,
            authorizer=authorizer,
            patches=self.patches,
        )
        return compiled(scope, source)


@dataclass(frozen=True, slots=True)
class Validation:
    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str


class ValidatingPolicy(Policy):
    stem = "validating"

    @cached_property
    def validations(self) -> tuple[Validation, ...]:
        return tuple(
            Validation(
                self.expression(v["expression"]),
                (v.get("message") or "").strip(),
                self.expression(v["messageExpression"], authorizer=False) if v.get("messageExpression") else None,
                v.get("reason") or "Invalid",
            )
            for v in self.spec.get("validations") or ()
        )

    @cached_property
    def annotations(self) -> tuple[tuple[str, Expression], ...]:
        listed = self.spec.get("auditAnnotations") or ()
        return tuple((a["key"], self.expression(a["valueExpression"], authorizer=False)) for a in listed)


class MutatingPolicy(Policy):
    stem = "mutating"
    patches = True

    @cached_property
    def mutations(self) -> tuple[tuple[str, Expression], ...]:
        """(patchType, expression)."""
        made = []
        for mutation in self.spec.get("mutations") or ():
            kind = mutation["patchType"]
            block = mutation.get("applyConfiguration" if kind == "ApplyConfiguration" else "jsonPatch") or {}
            made.append((kind, self.expression(block.get("expression") or "")))
        return tuple(made)

    @property
    def reinvokes(self) -> bool:
        return bool(self.spec.get("reinvocationPolicy") == "IfNeeded")


@dataclass(frozen=True, slots=True)
class Binding:
    name: str
    policy: str
    criteria: Criteria
    actions: tuple[str, ...]
    param_ref: Manifest | None


def binding(_key: Key, _revision: int, manifest: Manifest) -> Binding:
    spec: Any = manifest.get("spec") or {}
    return Binding(
        manifest["metadata"]["name"],
        spec.get("policyName") or "",
        Criteria.of(spec.get("matchResources") or {}),
        tuple(spec.get("validationActions") or ()),
        spec.get("paramRef"),
    )
