"""An HTTP request as the verbs see it, independent of the server that received it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from portway.apiserver.routing import Target
from portway.apiserver.tenants import Tenant
from portway.apiserver.users import ANONYMOUS, Peer, User
from portway.krm.errors import Cause, StatusError, bad_request

if TYPE_CHECKING:
    from portway.apiserver.auditing import Record
    from portway.apiserver.views import View

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

FIELD_VALIDATIONS = ("Ignore", "Warn", "Strict")


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
            raise _invalid_option("dryRun", value, '"All"')
        return value == "All"

    @property
    def field_validation(self) -> str:
        value = self.query.get("fieldValidation") or "Warn"
        if value not in FIELD_VALIDATIONS:
            raise _invalid_option("fieldValidation", value, '"Ignore", "Strict", "Warn"')
        return value

    @property
    def field_manager(self) -> str:
        """As given, else the first word of the User-Agent, as upstream does."""
        manager = self.query.get("fieldManager", "")
        if len(manager) > 128:
            raise _invalid("fieldManager", f"Too long: may not be more than 128 bytes: {manager}")
        return manager or self.header(b"user-agent").split("/", 1)[0][:128] or "unknown"

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


def _invalid_option(name: str, value: str, supported: str) -> StatusError:
    return _invalid(name, f'Unsupported value: "{value}": supported values: {supported}', "FieldValueNotSupported")


def _invalid(name: str, message: str, reason: str = "FieldValueInvalid") -> StatusError:
    return StatusError(
        422, "Invalid", f' "" is invalid: {name}: {message}'.strip(), causes=(Cause(reason, message, name),)
    )
