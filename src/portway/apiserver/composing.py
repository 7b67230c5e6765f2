"""Puts the API server together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from portway.apiserver import clocks
from portway.apiserver.accounts import ServiceAccountTokens
from portway.apiserver.admission import roots
from portway.apiserver.admission.binding import BindingAdmission
from portway.apiserver.admission.escalation import EscalationPrevention
from portway.apiserver.admission.matching import Matcher
from portway.apiserver.admission.namespaces import NamespaceLifecycle
from portway.apiserver.admission.offers import OfferChecks
from portway.apiserver.admission.policies.mutation import MutatingPolicies
from portway.apiserver.admission.policies.params import Params
from portway.apiserver.admission.policies.reading import ParamReading
from portway.apiserver.admission.policies.rego import RegoPolicies, Worker
from portway.apiserver.admission.policies.validation import ValidatingPolicies
from portway.apiserver.admission.policies.writing import PolicyWriting
from portway.apiserver.admission.publishing import Publishing
from portway.apiserver.admission.quota import Quotas
from portway.apiserver.admission.stamping import Completion, RequestedBy
from portway.apiserver.admission.typewriting import TypeWriting
from portway.apiserver.admission.webhooks.configurations import WebhookWriting
from portway.apiserver.admission.webhooks.steps import MutatingWebhooks, ValidatingWebhooks
from portway.apiserver.admission.workspacecreation import WorkspaceCreation
from portway.apiserver.authn import Authenticator
from portway.apiserver.authorizing import Authorizer
from portway.apiserver.bindingstatuses import BindingStatuses
from portway.apiserver.context import Context
from portway.apiserver.following import Follower
from portway.apiserver.housekeeping import heartbeats
from portway.apiserver.housekeeping.editing import Editor
from portway.apiserver.housekeeping.running import Housekeeping
from portway.apiserver.internal import Internal
from portway.apiserver.oidc import Providers
from portway.apiserver.rbac import Grants
from portway.apiserver.registry import Registry
from portway.apiserver.resealing import Resealing
from portway.apiserver.revocations import Revocations
from portway.apiserver.sealing import Envelope
from portway.apiserver.settings import Settings
from portway.apiserver.signingkeys import SigningKeys
from portway.apiserver.storing import Sealer, Storage
from portway.apiserver.tenants import Tenants
from portway.apiserver.tokens import NAMESPACE, OneTimeTokens, Tokens
from portway.apiserver.workspacetypes import WorkspaceTypes
from portway.krm.builtins.catalogue import KINDS
from portway.krm.identity import Manifest
from portway.store.caching import Cache


@dataclass(slots=True)
class Parts:
    context: Context
    tokens: Tokens
    one_time: OneTimeTokens
    housekeeping: Housekeeping
    rego: Worker
    resealing: Resealing | None = None


def compose(cache: Cache, settings: Settings, sealer: Sealer | None, now: clocks.Now = clocks.utc_now) -> Parts:
    storage = Storage(cache, sealer)
    tenants = Tenants(cache)
    registry = Registry(cache, tenants, KINDS)
    grants = Grants(cache)
    keys = SigningKeys(storage, now)
    accounts = ServiceAccountTokens(storage, keys, now, settings.issuer, settings.service_account_seconds)
    types = WorkspaceTypes(cache, tenants)
    matcher, params = Matcher(storage, registry), Params(storage, registry)
    mutating_policies = MutatingPolicies(cache, matcher, params, grants)
    mutating_webhooks = MutatingWebhooks(cache, matcher, grants)
    validating_webhooks = ValidatingWebhooks(cache, matcher, grants)
    rego = RegoPolicies(cache, matcher, Worker())
    quotas = Quotas(cache, storage, settings.object_limit)
    validating_policies = ValidatingPolicies(cache, matcher, params, grants)

    authorizer = Authorizer(grants)
    readable = {
        "ValidatingAdmissionPolicyBinding": validating_policies.find,
        "MutatingAdmissionPolicyBinding": mutating_policies.find,
    }

    async def create_secret(secret: Manifest) -> None:
        await Internal(context).create(roots.ROOT, registry.builtin_resource("", "v1", "secrets"), secret, NAMESPACE)

    tokens = Tokens(storage, create_secret, now)
    revocations = Revocations(storage)
    context = Context(
        storage=storage,
        tenants=tenants,
        registry=registry,
        types=types,
        authenticator=Authenticator(tokens, accounts, Providers(settings.issuers, now), revocations),
        authorizer=authorizer,
        accounts=accounts,
        settings=settings,
        quotas=quotas,
        now=now,
        mutating=(
            RequestedBy(),
            Completion(registry, now),
            PolicyWriting(registry, ParamReading(registry, authorizer, readable)),
            quotas,
            WebhookWriting(),
            mutating_policies,
            mutating_webhooks,
            OfferChecks(),
            Publishing(storage, tenants, grants, settings=settings, now=now),
            BindingAdmission(registry, grants, BindingStatuses(registry, now)),
            WorkspaceCreation(tenants, registry, types, grants, settings=settings, now=now),
        ),
        validating=(
            NamespaceLifecycle(storage),
            EscalationPrevention(grants),
            TypeWriting(tenants, grants),
            validating_policies,
            rego,
            validating_webhooks,
        ),
    )
    followers: tuple[Follower[Any], ...] = (
        tenants.follower,
        types.follower,
        *mutating_policies.followers,
        *validating_policies.followers,
        *quotas.followers,
        rego.follower,
        mutating_webhooks.follower,
        validating_webhooks.follower,
        *registry.followers,
        *grants.followers,
        tokens.follower,
        revocations.follower,
        keys.follower,
    )
    for follower in followers:
        storage.follow(follower)
    resealing = Resealing(cache, storage, sealer) if isinstance(sealer, Envelope) else None
    return Parts(context, tokens, OneTimeTokens(tokens, now), Housekeeping(cache, context), rego.worker, resealing)


async def start(parts: Parts) -> list[asyncio.Task[None]]:
    """The running followers and the housekeeping."""
    context = parts.context
    loop = asyncio.get_running_loop()
    tasks = []
    for follower in context.storage.followers:
        await follower.start()
        tasks.append(loop.create_task(follower.run(), name=f"follow {follower.resource}"))
    await roots.ensure(context.storage, context.registry, context.settings, context.now)
    await context.accounts.keys.ensure()
    tasks.append(loop.create_task(parts.tokens.keep_uses(asyncio.sleep), name="uses of tokens"))
    if context.settings.housekeeping:
        tasks.append(loop.create_task(keep_house(parts), name="housekeeping"))
    return tasks


async def keep_house(parts: Parts) -> None:
    """What one process of those on a store does for all: the API's own controllers and the rotation of keys."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(parts.context.accounts.keys.maintain(asyncio.sleep), name="signing keys")
        if parts.resealing is not None:
            tasks.create_task(parts.resealing.run(), name="encrypting anew")
        tasks.create_task(parts.housekeeping.run(), name="housekeeping engines")
        editor = Editor(parts.context.storage, parts.context.now)
        tasks.create_task(heartbeats.beat(editor, parts.context.now), name="heartbeat")
