"""An HTTP request as the verbs see it, independent of the server that received it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from portway.apiserver.routing import Target
from portway.apiserver.tenants import Tenant
from portway.apiserver.users import ANONYMOUS, Peer, User
from portway.krm.errors import Cause, StatusError, bad_request, invalid

if TYPE_CHECKING:
    from portway.apiserver.auditing import Record
    from portway.apiserver.views import View

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

FIELD_VALIDATIONS = ("Ignore", "Warn", "Strict")
_OPTIONS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}
OPTIONS_GROUP = "meta.k8s.io"
_MANAGER_LIMIT = 128


class Disconnected(Exception):
    """The client went away before its request was read; nobody is there to be told."""


@dataclass(slots=True)
class Request:
    method: str
    target: Target
    query: dict[str, str]
    raw_headers: list[tuple[bytes, bytes]]
    headers: dict[bytes, bytes]
    receive: Receive
    body_limit: int
    user: User = ANONYMOUS
    peer: Peer | None = None
    tenant: Tenant | None = None
    """The workspace addressed; None for the wildcard."""
    view: View | None = None
    """Set below ``/services/``: what may be seen of other workspaces."""
    audit_id: str = ""
    warnings: list[str] = field(default_factory=list)
    path: str = ""
    """As it was sent, percent-decoded."""
    client: str = ""
    """Address of the other side; empty within the process."""
    audit: Record | None = None
    """What the audit log tells of it; None while that is open, and when it is nothing."""
    audit_annotations: dict[str, str] = field(default_factory=dict)
    """What admission has to say in the audit log."""
    audited: bool = False
    authorized: bool = False
    """Whether it was found to be allowed; what came of it later is another matter."""
    panicked: bool = False
    """An error that nobody expected ended it."""
    kept: bytes = b""
    """The body once it was read, for the audit log."""

    @classmethod
    def of(cls, scope: Scope, receive: Receive, target: Target, body_limit: int) -> Request:
        raw: list[tuple[bytes, bytes]] = list(scope["headers"])
        query = scope["query_string"]
        return cls(
            method=scope["method"],
            target=target,
            query=dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {},
            raw_headers=raw,
            headers=dict(raw),
            receive=receive,
            body_limit=body_limit,
            path=scope["path"],
            client=(scope.get("client") or ("",))[0],
            peer=(scope.get("state") or {}).get("peer"),
        )

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    def header_values(self, name: bytes) -> list[str]:
        return [value.decode("latin-1") for key, value in self.raw_headers if key == name]

    @property
    def here(self) -> Tenant:
        """The one workspace addressed; only verbs that refuse the wildcard may ask. Raises StatusError 405."""
        if self.tenant is None:
            raise StatusError(
                405, "MethodNotAllowed", "the wildcard workspace * can only be read: address one workspace instead"
            )
        return self.tenant

    @property
    def cluster(self) -> str:
        return self.here.cluster

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1", "t")

    def number(self, name: str) -> int:
        text = self.query.get(name, "")
        if not text:
            return 0
        try:
            return max(int(text), 0)
        except ValueError:
            raise bad_request(f'query parameter {name}: "{text}" is not a whole number') from None

    @property
    def dry_run(self) -> bool:
        value = self.query.get("dryRun", "")
        if value not in ("", "All"):
            raise self.refused(
                "dryRun", f'Unsupported value: ["{value}"]: supported values: "All"', "FieldValueNotSupported"
            )
        return value == "All"

    @property
    def field_validation(self) -> str:
        value = self.query.get("fieldValidation") or "Warn"
        if value not in FIELD_VALIDATIONS:
            supported = '"", "Ignore", "Strict", "Warn"'
            message = f'Unsupported value: "{value}": supported values: {supported}'
            raise self.refused("fieldValidation", message, "FieldValueNotSupported")
        return value

    @property
    def field_manager(self) -> str:
        """As given, else the first word of the User-Agent, as upstream does."""
        manager = self.query.get("fieldManager", "")
        if len(manager) > _MANAGER_LIMIT:
            message = f"Too long: may not be more than {_MANAGER_LIMIT} bytes"
            raise self.refused("fieldManager", message, "FieldValueTooLong")
        wrong = next((place for place, letter in enumerate(manager) if not letter.isprintable()), None)
        if wrong is not None:
            told = f"invalid character U+{ord(manager[wrong]):04X} (at position {wrong})"
            message = f"Invalid value: {json.dumps(manager)}: {told}"
            raise self.refused("fieldManager", message, "FieldValueInvalid")
        return manager or self.header(b"user-agent").split("/", 1)[0][:_MANAGER_LIMIT] or "unknown"

    def refused(self, option: str, message: str, reason: str) -> StatusError:
        """422 for an option of the request, in upstream's words."""
        return invalid(_OPTIONS.get(self.method, "ListOptions"), "", (Cause(reason, message, option),), OPTIONS_GROUP)

    async def body(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self.body_limit:
                raise StatusError(
                    413, "RequestEntityTooLarge", f"limit is {self.body_limit}: the request body is larger"
                )
            chunks.append(chunk)
            if not message.get("more_body", False):
                body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
                if self.audit is not None:
                    self.kept = body
                return body
