"""API errors as the Kubernetes ``Status`` they become on the wire.

Raised by the API server, by pure machinery below it, and again by the client when it reads a Status: one class on
both sides. Source of the fields: k8s.io/apimachinery meta/v1 ``Status`` and ``StatusReason``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cause:
    """One field-level reason. ``field`` is a path such as ``spec.ports[0].port``."""

    reason: str
    message: str
    field: str = ""


@dataclass(slots=True)
class StatusError(Exception):
    """An expected failure of an API request: HTTP ``code`` and machine-readable ``reason``."""

    code: int
    reason: str
    message: str
    name: str = ""
    group: str = ""
    kind: str = ""
    """Resource name (``configmaps``) or kind, as upstream puts it in details.kind."""
    uid: str = ""
    causes: tuple[Cause, ...] = ()
    retry_after: int = 0
    """Seconds; 0 = not given."""
    continue_token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Exception.__init__(self, self.message)

    def __str__(self) -> str:
        return self.message

    def to_status(self) -> dict[str, Any]:
        """The ``v1 Status`` object."""
        details: dict[str, Any] = {}
        for key, value in (
            ("name", self.name),
            ("group", self.group),
            ("kind", self.kind),
            ("uid", self.uid),
        ):
            if value:
                details[key] = value
        if self.causes:
            details["causes"] = [
                {k: v for k, v in (("reason", c.reason), ("message", c.message), ("field", c.field)) if v}
                for c in self.causes
            ]
        if self.retry_after:
            details["retryAfterSeconds"] = self.retry_after
        metadata = {"continue": self.continue_token} if self.continue_token else {}
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if details:
            status["details"] = details
        return status

    @classmethod
    def from_status(cls, status: dict[str, Any], code: int = 0) -> StatusError:
        """Read a ``v1 Status``; ``code`` is the HTTP code when the body carries none."""
        details = status.get("details") or {}
        causes = tuple(
            Cause(c.get("reason", ""), c.get("message", ""), c.get("field", "")) for c in details.get("causes") or ()
        )
        return cls(
            code=int(status.get("code") or code or 500),
            reason=status.get("reason") or "Unknown",
            message=status.get("message") or "the server gave no reason",
            name=details.get("name", ""),
            group=details.get("group", ""),
            kind=details.get("kind", ""),
            uid=details.get("uid", ""),
            causes=causes,
            retry_after=int(details.get("retryAfterSeconds") or 0),
            continue_token=(status.get("metadata") or {}).get("continue", ""),
        )


def _qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def not_found(resource: str, name: str, group: str = "") -> StatusError:
    message = f'{_qualified(resource, group)} "{name}" not found'
    return StatusError(404, "NotFound", message, name=name, group=group, kind=resource)


def already_exists(resource: str, name: str, group: str = "") -> StatusError:
    message = f'{_qualified(resource, group)} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, name=name, group=group, kind=resource)


def conflict(resource: str, name: str, why: str, group: str = "") -> StatusError:
    message = f'Operation cannot be fulfilled on {_qualified(resource, group)} "{name}": {why}'
    return StatusError(409, "Conflict", message, name=name, group=group, kind=resource)


def forbidden(resource: str, name: str, why: str, group: str = "") -> StatusError:
    target = f'{_qualified(resource, group)} "{name}"' if name else _qualified(resource, group)
    return StatusError(403, "Forbidden", f"{target} is forbidden: {why}", name=name, group=group, kind=resource)


def invalid(kind: str, name: str, causes: tuple[Cause, ...], group: str = "") -> StatusError:
    """422 with one cause per field. A cause's message is upstream's detail text without the path."""
    texts = [f"{c.field}: {c.message}" if c.field else c.message for c in causes]
    listed = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    message = f'{_qualified(kind, group)} "{name}" is invalid: {listed}'
    return StatusError(422, "Invalid", message, name=name, group=group, kind=kind, causes=causes)


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def unauthorized(message: str = "Unauthorized") -> StatusError:
    return StatusError(401, "Unauthorized", message)


def expired(message: str, continue_token: str = "") -> StatusError:
    return StatusError(410, "Expired", message, continue_token=continue_token)


def unsupported_media_type(message: str) -> StatusError:
    return StatusError(415, "UnsupportedMediaType", message)


def internal(message: str) -> StatusError:
    return StatusError(500, "InternalError", message)


def unavailable(message: str, retry_after: int = 1) -> StatusError:
    return StatusError(503, "ServiceUnavailable", message, retry_after=retry_after)
