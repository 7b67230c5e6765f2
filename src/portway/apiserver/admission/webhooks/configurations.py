"""Webhooks as the followers keep them, and the judgement of their configurations when written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portway.apiserver import names, schemachecks, webhooks
from portway.apiserver.admission import inputs, matchchecks
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.matching import Criteria
from portway.apiserver.admission.policies.expressions import Expression, compiled
from portway.apiserver.admission.policies.writing import complete_match
from portway.krm import causes
from portway.krm.errors import Cause, invalid
from portway.krm.identity import Manifest
from portway.store.contract import Key

KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


@dataclass(frozen=True, slots=True, eq=False)
class Webhook:
    configuration: str
    name: str
    client_config: Manifest
    criteria: Criteria
    conditions: tuple[tuple[str, Expression], ...]
    fails: bool
    timeout: int
    """Seconds."""
    side_effects: str
    reinvoked: bool


def parse(_key: Key, _revision: int, manifest: Manifest) -> tuple[Webhook, ...]:
    return tuple(_webhook(manifest["metadata"]["name"], hook) for hook in manifest.get("webhooks") or ())


def _webhook(configuration: str, hook: Mapping[str, Any]) -> Webhook:
    scope = inputs.environment(params=False)
    return Webhook(
        configuration=configuration,
        name=hook["name"],
        client_config=hook.get("clientConfig") or {},
        criteria=Criteria.of(hook, "rules"),
        conditions=tuple((c["name"], compiled(scope, c["expression"])) for c in hook.get("matchConditions") or ()),
        fails=(hook.get("failurePolicy") or "Fail") == "Fail",
        timeout=hook.get("timeoutSeconds") or 10,
        side_effects=hook.get("sideEffects") or "",
        reinvoked=hook.get("reinvocationPolicy") == "IfNeeded",
    )


class WebhookWriting:
    """A mutating step for the configurations themselves."""

    async def admit(self, request: AdmissionRequest) -> None:
        gvk, manifest = request.resource.served.gvk, request.object
        if gvk.kind not in KINDS or manifest is None or request.subresource:
            return
        if schemachecks.has_wrong_types(request.resource, manifest):
            return  # said by the validation that follows
        hooks = manifest.get("webhooks") or ()
        for hook in hooks:
            _complete(hook, mutating=gvk.kind == KINDS[0])
        found = tuple(check(hooks))
        if found:
            raise invalid(gvk.kind, request.name, found, gvk.group)


def check(hooks: Sequence[Mapping[str, Any]]) -> Iterator[Cause]:
    known: set[str] = set()
    for index, hook in enumerate(hooks):
        yield from _check(hook, f"webhooks[{index}]", known)


def _complete(hook: Manifest, *, mutating: bool) -> None:
    complete_match(hook)
    hook.setdefault("failurePolicy", "Fail")
    hook.setdefault("timeoutSeconds", 10)
    for rule in hook.get("rules") or ():
        rule.setdefault("scope", "*")
    if mutating:
        hook.setdefault("reinvocationPolicy", "Never")


def _check(hook: Mapping[str, Any], path: str, known: set[str]) -> Iterator[Cause]:
    name = hook.get("name") or ""
    yield from _check_name(name, f"{path}.name")
    for index, rule in enumerate(hook.get("rules") or ()):
        yield from matchchecks.rule(rule, f"{path}.rules[{index}]")
    for field, allowed in _CHOICES.items():
        if hook.get(field) is not None and hook[field] not in allowed:
            yield causes.unsupported(f"{path}.{field}", hook[field], allowed)
    if hook.get("sideEffects") is None:
        yield causes.required(f"{path}.sideEffects", "must specify one of None, NoneOnDryRun")
    if not 1 <= hook.get("timeoutSeconds", 10) <= 30:
        text = "the timeout value must be between 1 and 30 seconds"
        yield causes.invalid(f"{path}.timeoutSeconds", hook["timeoutSeconds"], text)
    yield from matchchecks.selectors(hook, path)
    yield from _check_client(hook.get("clientConfig") or {}, f"{path}.clientConfig")
    yield from matchchecks.match_conditions(hook.get("matchConditions") or (), f"{path}.matchConditions")
    yield from _check_reviews(hook.get("admissionReviewVersions") or [], f"{path}.admissionReviewVersions")
    if name and name in known:
        yield causes.duplicate(f"{path}.name", name)
    known.add(name)


def _check_name(name: str, path: str) -> Iterator[Cause]:
    faults = names.subdomain_faults(name)
    if not name:
        yield causes.required(path)
    elif faults:
        yield causes.invalid(path, name, ",".join(faults))
    elif name.count(".") < 2:
        yield causes.invalid(path, name, "should be a domain with at least three segments separated by dots")


def _check_reviews(versions: list[str], path: str) -> Iterator[Cause]:
    if not versions:
        yield causes.required(path, "must specify one of v1, v1beta1")
        return
    yield from webhooks.check_review_versions(versions, path)
    if "v1beta1" in versions and "v1" not in versions:
        yield causes.invalid(path, versions, "must include v1, the only version of AdmissionReview that is sent")


_CHOICES = {
    "failurePolicy": ("Fail", "Ignore"),
    "matchPolicy": ("Equivalent", "Exact"),
    "sideEffects": ("None", "NoneOnDryRun"),
    "reinvocationPolicy": ("IfNeeded", "Never"),
}


def _check_client(client: Mapping[str, Any], path: str) -> Iterator[Cause]:
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield causes.required(path, "exactly one of url or service is required")
    elif service is not None:
        text = "services are not reachable from here, for no network of pods is served: give the url of the webhook"
        yield causes.forbidden(f"{path}.service", text)
    else:
        yield from webhooks.check_url(url or "", f"{path}.url")
    if client.get("caBundle"):
        yield from webhooks.check_bundle(client["caBundle"], f"{path}.caBundle")
