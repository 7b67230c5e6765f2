"""One call of a webhook: review out, verdict in."""

from __future__ import annotations

import base64
import binascii
import ssl
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from portway.apiserver.admission import inputs
from portway.apiserver.admission.contract import AdmissionRequest
from portway.apiserver.admission.webhooks.configurations import Webhook
from portway.kit import lazily
from portway.krm.errors import StatusError, bad_request
from portway.krm.identity import Manifest

if TYPE_CHECKING:
    import httpx
else:
    httpx = lazily.module("httpx")

_ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of an answer that are read."""


class CallFailed(Exception):
    """The webhook gave no valid answer; the failure policy says what that means."""


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    patch: list[Any] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    status: Manifest = field(default_factory=dict)


async def ask(hook: Webhook, request: AdmissionRequest, *, mutating: bool) -> Verdict:
    """Raises CallFailed; StatusError 400 when the hook has side effects that a dry run must not have."""
    if request.dry_run and hook.side_effects not in ("None", "NoneOnDryRun"):
        raise bad_request(f'admission webhook "{hook.name}" does not support dry run')
    uid = str(uuid.uuid4())
    body = orjson.dumps(_review(request, uid))
    try:
        answer = await _post(hook, body)
        return _verdict(orjson.loads(answer), uid, mutating=mutating)
    except httpx.HTTPError as error:
        why = (
            f"context deadline exceeded ({hook.timeout}s)" if isinstance(error, httpx.TimeoutException) else str(error)
        )
        raise CallFailed(f'failed to call webhook: Post "{hook.url}?timeout={hook.timeout}s": {why}') from None
    except orjson.JSONDecodeError:
        raise CallFailed("failed to call webhook: the answer is no JSON") from None


async def _post(hook: Webhook, body: bytes) -> bytes:
    timeout = httpx.Timeout(hook.timeout)
    headers = {"content-type": "application/json", "accept": "application/json"}
    async with (
        httpx.AsyncClient(verify=_context(hook.ca), timeout=timeout, trust_env=False) as client,
        client.stream(
            "POST", hook.url, content=body, headers=headers, params={"timeout": f"{hook.timeout}s"}
        ) as answer,
    ):
        found = bytearray()
        async for part in answer.aiter_bytes():
            found += part
            if len(found) > _ANSWER_LIMIT:
                raise CallFailed(f"failed to call webhook: the answer is longer than {_ANSWER_LIMIT} bytes")
        if answer.status_code != 200:
            raise CallFailed(f"failed to call webhook: the server answered {answer.status_code}")
        return bytes(found)


@lru_cache(maxsize=256)
def _context(ca: bytes) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca.decode()) if ca else ssl.create_default_context()


def _review(request: AdmissionRequest, uid: str) -> Manifest:
    asked: Manifest = {"uid": uid, **inputs.describe(request)}
    asked["object"], asked["oldObject"] = request.object, request.old
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": asked}


def _verdict(review: Any, uid: str, *, mutating: bool) -> Verdict:
    response = review.get("response") if isinstance(review, dict) else None
    if not isinstance(response, dict):
        raise CallFailed("received invalid webhook response: webhook response was absent")
    kind = f"{review.get('apiVersion')}, Kind={review.get('kind')}"
    if kind != "admission.k8s.io/v1, Kind=AdmissionReview":
        expected = "admission.k8s.io/v1, Kind=AdmissionReview"
        raise CallFailed(f"received invalid webhook response: expected webhook response of {expected}, got {kind}")
    if response.get("uid") != uid:
        raise CallFailed(
            f'received invalid webhook response: expected response.uid="{uid}", got "{response.get("uid", "")}"'
        )
    return Verdict(
        allowed=response.get("allowed") is True,
        patch=_patch(response, mutating=mutating),
        warnings=tuple(str(text) for text in response.get("warnings") or ()),
        annotations={str(k): str(v) for k, v in (response.get("auditAnnotations") or {}).items()},
        status=response.get("status") or {},
    )


def _patch(response: Manifest, *, mutating: bool) -> list[Any]:
    patch, kind = response.get("patch"), response.get("patchType")
    invalid = "received invalid webhook response: "
    if not mutating:
        if patch or kind:
            raise CallFailed(f"{invalid}validating webhook may not return response.patch")
        return []
    if bool(patch) != bool(kind):
        given, missing = ("patch", "patchType") if patch else ("patchType", "patch")
        raise CallFailed(f"{invalid}webhook returned response.{given} but not response.{missing}")
    if not patch:
        return []
    if kind != "JSONPatch":
        raise CallFailed(f'{invalid}webhook returned invalid response.patchType of "{kind}"')
    try:
        operations = orjson.loads(base64.b64decode(patch, validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise CallFailed(f"{invalid}response.patch is no JSON in base64") from None
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
