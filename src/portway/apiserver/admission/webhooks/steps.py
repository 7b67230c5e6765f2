"""The admission steps: mutating webhooks one after another, validating ones at once."""

from __future__ import annotations

import asyncio
import copy
import logging

from portway.apiserver import webhooks
from portway.apiserver.admission import matching, rewriting
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.inputs import Inputs
from portway.apiserver.admission.matching import Matcher
from portway.apiserver.admission.policies.definitions import GROUP
from portway.apiserver.admission.policies.expressions import Failure, conditions_hold
from portway.apiserver.admission.webhooks import calling, configurations
from portway.apiserver.admission.webhooks.calling import Verdict
from portway.apiserver.admission.webhooks.configurations import Webhook
from portway.apiserver.following import Follower
from portway.apiserver.rbac import Grants
from portway.krm.errors import StatusError, forbidden, internal
from portway.krm.patches import json_patch
from portway.krm.schemas import defaulting, pruning
from portway.krm.values import same
from portway.store.contract import Reads

log = logging.getLogger(__name__)


class _Webhooks:
    plural = ""

    def __init__(self, cache: Reads, matcher: Matcher, grants: Grants) -> None:
        self._matcher = matcher
        self._grants = grants
        self.follower: Follower[tuple[Webhook, ...]] = Follower(cache, f"{self.plural}.{GROUP}", configurations.parse)

    def _relevant(self, request: AdmissionRequest) -> list[tuple[Webhook, AdmissionRequest]]:
        """In order of the configurations' names, each with the request as it sees it. Raises StatusError 403."""
        found = self.follower.of(request.tenant.cluster)
        if not found or matching.is_exempt(request):
            return []
        hooks = (hook for _, listed in sorted(found.items()) for hook in listed if hook.criteria.rules)
        return [(hook, seen) for hook in hooks if (seen := self._seen(hook, request)) is not None]

    def _seen(self, hook: Webhook, request: AdmissionRequest) -> AdmissionRequest | None:
        seen = self._matcher.match(hook.criteria, request)
        if seen is None or not hook.conditions:
            return seen
        given = Inputs(seen, self._matcher.namespace_of(request), self._grants)
        try:
            return seen if conditions_hold(hook.conditions, given) else None
        except Failure as failure:
            if not hook.fails:
                return None
            served = request.resource.served
            raise forbidden(served.plural, request.name, str(failure), served.gvk.group) from None

    async def _ask(self, hook: Webhook, request: AdmissionRequest, *, mutating: bool) -> Verdict | None:
        """None when it failed and that is to be ignored. Raises StatusError."""
        try:
            verdict = await calling.ask(hook, request, mutating=mutating)
        except webhooks.Failed as failure:
            if hook.fails:
                raise internal(f'Internal error occurred: failed calling webhook "{hook.name}": {failure}') from None
            log.warning("webhook failed, which is ignored", extra={"webhook": hook.name, "why": str(failure)})
            return None
        request.warnings.extend(verdict.warnings)
        for key, value in verdict.annotations.items():
            request.annotations[f"{hook.name}/{key}"] = value
        if not verdict.allowed:
            raise calling.refusal(hook, verdict)
        return verdict


class ValidatingWebhooks(_Webhooks):
    plural = "validatingwebhookconfigurations"

    async def admit(self, request: AdmissionRequest) -> None:
        relevant = self._relevant(request)
        if not relevant:
            return
        asked = [self._ask(hook, seen, mutating=False) for hook, seen in relevant]
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome


class MutatingWebhooks(_Webhooks):
    plural = "mutatingwebhookconfigurations"

    async def admit(self, request: AdmissionRequest) -> None:
        if request.object is None:
            for hook, seen in self._relevant(request):
                await self._ask(hook, seen, mutating=True)
            return
        called: list[Webhook] = []
        again: set[Webhook] = set()
        for hook, _ in self._relevant(request):
            if await self._apply(hook, request):
                again.update(earlier for earlier in called if earlier.reinvoked)
            called.append(hook)
        for hook in called:
            if hook in again:
                await self._apply(hook, request)

    async def _apply(self, hook: Webhook, request: AdmissionRequest) -> bool:
        """Whether the object changed."""
        seen = self._seen(hook, request)
        if seen is None or request.object is None:
            return False
        verdict = await self._ask(hook, seen, mutating=True)
        if verdict is None or not verdict.patch:
            return False
        before = copy.deepcopy(request.object)
        try:
            changed = json_patch(copy.deepcopy(request.object), verdict.patch)
        except StatusError as error:
            raise internal(
                f'Internal error occurred: webhook "{hook.name}" returned a bad patch: {error.message}'
            ) from None
        pruning.prune(request.resource.served.schema, changed)
        defaulting.default(request.resource.served.schema, changed)
        rewriting.replace_object(request, changed)
        return not same(before, request.object)
