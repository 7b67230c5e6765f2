"""The policies of one kind with their bindings: which of them speak about a request, with which parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from portway.apiserver.admission import matching
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.inputs import Inputs
from portway.apiserver.admission.matching import Matcher
from portway.apiserver.admission.policies import definitions
from portway.apiserver.admission.policies.definitions import GROUP, Binding, Policy
from portway.apiserver.admission.policies.params import Params
from portway.apiserver.following import Follower
from portway.apiserver.rbac import Grants
from portway.krm.identity import Manifest
from portway.store.contract import Reads

P = TypeVar("P", bound=Policy)


@dataclass(frozen=True, slots=True)
class Bound(Generic[P]):
    """A policy with its bindings, in order of their names."""

    policy: P
    bindings: list[Binding]


class BoundPolicies(Generic[P]):
    def __init__(self, kind: type[P], cache: Reads, matcher: Matcher, params: Params, grants: Grants) -> None:
        self._matcher = matcher
        self._params = params
        self._grants = grants
        self._policies: Follower[P] = Follower(
            cache, f"{kind.stem}admissionpolicies.{GROUP}", lambda _key, _revision, manifest: kind(manifest)
        )
        self._bindings: Follower[Binding] = Follower(
            cache, f"{kind.stem}admissionpolicybindings.{GROUP}", definitions.binding
        )

    @property
    def followers(self) -> tuple[Follower[P], Follower[Binding]]:
        return (self._policies, self._bindings)

    def find(self, cluster: str, name: str) -> P | None:
        return self._policies.get(cluster, name)

    def of(self, request: AdmissionRequest) -> list[Bound[P]]:
        """Those that could speak about a request, in order of their names: most often none."""
        listed = self._bindings.of(request.tenant.cluster)
        if not listed or matching.is_exempt(request):
            return []
        bindings = sorted(listed.values(), key=lambda binding: binding.name)
        policies = sorted(self._policies.of(request.tenant.cluster).values(), key=lambda policy: policy.name)
        found = (Bound(policy, [each for each in bindings if each.policy == policy.name]) for policy in policies)
        return [each for each in found if each.bindings]

    def matching(self, bound: Bound[P], request: AdmissionRequest) -> Iterator[tuple[Binding, AdmissionRequest]]:
        """Each binding that matches, with the request as the policy sees it when the binding's turn comes."""
        for binding in bound.bindings:
            seen = self.seen(bound.policy, request)
            if seen is not None and self._matcher.match(binding.criteria, request) is not None:
                yield binding, seen

    def seen(self, policy: P, request: AdmissionRequest) -> AdmissionRequest | None:
        """The request in the version that the policy is about; None when it is about others."""
        return self._matcher.match(policy.criteria, request)

    async def params_of(self, policy: P, binding: Binding, request: AdmissionRequest) -> list[Manifest | None]:
        """Raises Failure."""
        return await self._params.of(policy, binding, request)

    def inputs(self, request: AdmissionRequest) -> Inputs:
        return Inputs(request, self._matcher.namespace_of(request), self._grants)
