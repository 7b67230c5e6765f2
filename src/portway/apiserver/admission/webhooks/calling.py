"""One call of a webhook: review out, verdict in."""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass, field
from typing import Any

import orjson

from portway.apiserver import webhooks
from portway.apiserver.admission import inputs
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.webhooks.configurations import Webhook
from portway.krm.errors import StatusError, bad_request
from portway.krm.identity import Manifest

_API_VERSION, _KIND = "admission.k8s.io/v1", "AdmissionReview"


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    patch: list[Any] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    status: Manifest = field(default_factory=dict)


async def ask(hook: Webhook, request: AdmissionRequest, *, mutating: bool) -> Verdict:
    """Raises webhooks.Failed, of which the failure policy says what it means.

    Raises StatusError 400 when the hook has side effects that a dry run must not have.
    """
    if request.dry_run and hook.side_effects not in ("None", "NoneOnDryRun"):
        raise bad_request(f'admission webhook "{hook.name}" does not support dry run')
    uid = str(uuid.uuid4())
    try:
        answer = await webhooks.call(hook.client_config, _review(request, uid), hook.timeout)
    except webhooks.Failed as failure:
        raise webhooks.Failed(f"failed to call webhook: {failure}") from None
    try:
        return _verdict(answer, uid, mutating=mutating)
    except webhooks.Failed as failure:
        raise webhooks.Failed(f"received invalid webhook response: {failure}") from None


def _review(request: AdmissionRequest, uid: str) -> Manifest:
    asked: Manifest = {"uid": uid, **inputs.describe(request)}
    asked["object"], asked["oldObject"] = request.object, request.old
    return {"kind": _KIND, "apiVersion": _API_VERSION, "request": asked}


def _verdict(answer: Manifest, uid: str, *, mutating: bool) -> Verdict:
    response = answer.get("response")
    if not isinstance(response, dict):
        raise webhooks.Failed("webhook response was absent")
    webhooks.verify_kind(answer, _API_VERSION, _KIND)
    webhooks.verify_uid(response, uid)
    return Verdict(
        allowed=response.get("allowed") is True,
        patch=_patch(response, mutating=mutating),
        warnings=tuple(str(text) for text in response.get("warnings") or ()),
        annotations={str(k): str(v) for k, v in (response.get("auditAnnotations") or {}).items()},
        status=response.get("status") or {},
    )


def _patch(response: Manifest, *, mutating: bool) -> list[Any]:
    patch, kind = response.get("patch"), response.get("patchType")
    if not mutating:
        if patch or kind:
            raise webhooks.Failed("validating webhook may not return response.patch")
        return []
    if bool(patch) != bool(kind):
        given, missing = ("patch", "patchType") if patch else ("patchType", "patch")
        raise webhooks.Failed(f"webhook returned response.{given} but not response.{missing}")
    if not patch:
        return []
    if kind != "JSONPatch":
        raise webhooks.Failed(f'webhook returned invalid response.patchType of "{kind}"')
    try:
        operations = orjson.loads(base64.b64decode(patch, validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise webhooks.Failed("response.patch is no JSON in base64") from None
    return operations if isinstance(operations, list) else []


def refusal(hook: Webhook, verdict: Verdict) -> StatusError:
    status = verdict.status
    why = status.get("message") or status.get("reason")
    text = f'admission webhook "{hook.name}" denied the request'
    message = f"{text}: {why}" if why else f"{text} without explanation"
    code = status.get("code") or 0
    error = StatusError.from_status({**status, "message": message, "code": code if code >= 400 else 400})
    error.reason = status.get("reason") or ("Forbidden" if error.code == 403 else "")
    return error
