"""Who did what: an ``audit.k8s.io/v1`` Event for each stage of a request that the policy names.

Contents of Secrets and of requests about tokens are never logged, whatever the policy says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

import orjson

from portway.apiserver import clocks
from portway.apiserver.auditpolicies import Asked, Level, Policy, Verdict
from portway.apiserver.requests import Request
from portway.apiserver.responses import Response, Stream
from portway.apiserver.users import User
from portway.krm import decoding, protobuf
from portway.krm.errors import StatusError
from portway.krm.identity import Manifest

CONFIDENTIAL = frozenset(
    (
        "secrets",
        "serviceaccounts/token",
        "tokenreviews.authentication.k8s.io",
    )
)
"""Resources (or subresources) of which only metadata is logged."""
_CONFIDENTIAL_KINDS = (
    ("v1", "Secret"),
    ("authentication.k8s.io/v1", "TokenRequest"),
    ("authentication.k8s.io/v1", "TokenReview"),
)
_HARMLESS = (401, 403, 404)
"""Refusals whose message repeats nothing of the body."""
_USER_AGENT_LENGTH = 1024
_CONFIDENTIAL_PARAMETERS = frozenset(("token", "access_token"))
_REMEMBERED = 8192
_NAME = re.compile(rb'"metadata":\{"name":"([^"\\]+)"')
_UID = re.compile(rb'"uid":"([^"\\]+)"')
_UNQUOTED = re.compile(r"[A-Za-z0-9_.~/:@!$&'()*+,;=-]*", re.ASCII)
"""Paths that quoting leaves as they are: nearly all."""


class Lines(Protocol):
    """Where lines go."""

    def write(self, line: bytes) -> None: ...


@dataclass(slots=True)
class Record:
    """A request of which something is to be logged."""

    verdict: Verdict
    verb: str
    user: User
    received: datetime
    level: Level


class Auditor:
    def __init__(self, policy: Policy, lines: Lines, now: clocks.Now = clocks.utc_now) -> None:
        self._policy = policy
        self._lines = lines
        self._now = now
        self._by_name = policy.asks_for_names
        self._judged: dict[Asked, Verdict] = {}

    def begin(self, request: Request, verb: str) -> Record | None:
        """Once the user is known. None when nothing is to be logged."""
        verdict = self._judge(request, verb)
        if verdict.level is Level.NONE:
            return None
        level = min(verdict.level, Level.METADATA) if _is_confidential(request) else verdict.level
        record = Record(verdict, verb, request.user, self._now(), level)
        self._stage(request, record, "RequestReceived")
        return record

    def started(self, request: Request, record: Record) -> None:
        """A watch is being answered."""
        self._stage(request, record, "ResponseStarted", {"responseStatus": {"metadata": {}, "code": 200}})

    def complete(self, request: Request, record: Record, answer: Response | Stream) -> None:
        """The answer stands (or the watch is over)."""
        if isinstance(answer, Stream):
            more: Manifest = {"responseStatus": {"metadata": {}, "code": 200}}
            self._stage(request, record, "ResponseComplete", more)
            return
        stage = "Panic" if request.panicked else "ResponseComplete"
        if stage in record.verdict.omitted:
            return
        more = {"responseStatus": _status_of(answer, told=not _is_confidential(request) or answer.code in _HARMLESS)}
        if record.level >= Level.REQUEST and request.kept:
            more["requestObject"] = _trimmed(_decoded(request), record)
        if record.level >= Level.REQUEST_RESPONSE:
            more["responseObject"] = _trimmed(_loaded(answer.body), record)
        self._stage(request, record, stage, more, answer)

    def _judge(self, request: Request, verb: str) -> Verdict:
        target, user = request.target, request.user
        asked = Asked(
            user.name,
            user.groups,
            verb,
            target.group,
            target.resource,
            target.subresource,
            target.namespace,
            target.name if self._by_name else "",
            "" if target.is_resource else target.path,
        )
        verdict = self._judged.get(asked)
        if verdict is None:
            if len(self._judged) >= _REMEMBERED:
                self._judged.clear()
            verdict = self._judged[asked] = self._policy.judge(asked)
        return verdict

    def _stage(
        self,
        request: Request,
        record: Record,
        stage: str,
        more: Manifest | None = None,
        answer: Response | None = None,
    ) -> None:
        if stage in record.verdict.omitted:
            return
        event: Manifest = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": record.level.text,
            "auditID": request.audit_id,
            "stage": stage,
            "requestURI": _uri(request),
            "verb": record.verb,
            "user": record.user.to_user_info(),
        }
        if request.user is not record.user:
            event["impersonatedUser"] = request.user.to_user_info()
        event["sourceIPs"] = _sources(request)
        event["userAgent"] = _user_agent(request)
        if request.target.is_resource:
            event["objectRef"] = _object(request, answer)
        event.update(more or {})
        event["requestReceivedTimestamp"] = clocks.micro_stamp(record.received)
        event["stageTimestamp"] = clocks.micro_stamp(self._now())
        event["annotations"] = _annotations(request, stage)
        self._lines.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))


def _is_confidential(request: Request) -> bool:
    target = request.target
    name = f"{target.resource}.{target.group}" if target.group else target.resource
    return name in CONFIDENTIAL or f"{name}/{target.subresource}" in CONFIDENTIAL


def _uri(request: Request) -> str:
    """Rebuilt from what was understood, so that tokens in the query are left out by name."""
    target = request.target
    path = request.path or target.path
    if not _UNQUOTED.fullmatch(path):
        path = quote(path, safe="/:@!$&'()*+,;=")
    if not request.query:
        return path
    shown = {key: "-" if key in _CONFIDENTIAL_PARAMETERS else value for key, value in request.query.items()}
    return path + "?" + "&".join(f"{quote(key)}={quote(value, safe='')}" for key, value in shown.items())


def _sources(request: Request) -> list[str]:
    forwarded = request.header(b"x-forwarded-for")
    found = [each.strip() for each in forwarded.split(",") if each.strip()]
    return [*found, request.client] if request.client else found


def _object(request: Request, answer: Response | None) -> Manifest:
    target = request.target
    name, uid = target.name, ""
    made = request.method == "POST" and answer is not None and answer.code in (200, 201)
    if answer is not None and made and not (target.subresource or name):
        head = answer.body[:1000]
        found = _NAME.search(head)
        name = found[1].decode() if found else name
        known = _UID.search(head) if name else None
        uid = known[1].decode() if known else ""
    fields = {
        "resource": target.resource,
        "namespace": target.namespace,
        "name": name,
        "uid": uid,
        "apiGroup": target.group,
        "apiVersion": target.version,
        "subresource": target.subresource,
    }
    return {key: value for key, value in fields.items() if value}


def _annotations(request: Request, stage: str) -> Manifest:
    annotations = {"portway.dev/workspace": request.tenant.path if request.tenant else request.target.cluster}
    if stage != "RequestReceived" and not request.user.is_anonymous:
        annotations["authorization.k8s.io/decision"] = "allow" if request.authorized else "forbid"
    return {**request.audit_annotations, **annotations}


def _status_of(answer: Response, *, told: bool) -> Manifest:
    """``told``: with the message, which may repeat what was sent."""
    if answer.code < 400:
        return {"metadata": {}, "code": answer.code}
    status = _loaded(answer.body)
    if not isinstance(status, dict) or status.get("kind") != "Status":
        return {"metadata": {}, "status": "Failure", "code": answer.code}
    kept = ("status", "message", "reason", "details", "code") if told else ("status", "reason", "code")
    return {"metadata": {}, **{key: status[key] for key in kept if key in status}}


def _user_agent(request: Request) -> str:
    text = request.header(b"user-agent")
    return text if len(text) <= _USER_AGENT_LENGTH else text[:_USER_AGENT_LENGTH] + "...TRUNCATED"


def _decoded(request: Request) -> Any:
    """The body; nothing of what has secrets in it and was only sent to the wrong place."""
    value = _parsed(request)
    said = (value.get("apiVersion"), value.get("kind")) if isinstance(value, dict) else ("", "")
    return None if said in _CONFIDENTIAL_KINDS else value


def _parsed(request: Request) -> Any:
    media = request.header(b"content-type")
    try:
        if "protobuf" in media:
            return protobuf.decode(request.kept)
        if "yaml" in media:
            return decoding.decode_yaml(request.kept).value
    except StatusError:
        return None
    return _loaded(request.kept)


def _loaded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _trimmed(value: Any, record: Record) -> Any:
    if not record.verdict.omit_managed_fields or not isinstance(value, dict):
        return value
    for each in (value, *(value.get("items") or ())):
        if isinstance(each, dict) and isinstance(each.get("metadata"), dict):
            each["metadata"].pop("managedFields", None)
    return value
