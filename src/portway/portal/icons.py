"""Which icon of the sprite stands for what."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_SPRITE = Path(__file__).parent / "static" / "icons.svg"

_KINDS = {
    "component": "box",
    "api": "api",
    "resource": "database",
    "system": "stack-2",
    "domain": "world",
    "group": "users",
    "user": "user",
    "location": "map-pin",
    "template": "template",
}

_LINKS = {
    "dashboard": "layout-dashboard",
    "docs": "book",
    "chat": "message-2",
    "github": "brand-github",
    "email": "mail",
    "techdocs": "book",
    "web": "world-www",
    "catalog": "category",
    "kind:component": "box",
    "kind:api": "api",
    "scaffolder": "template",
    "warning": "alert-triangle",
    "alert": "bell",
    "help": "help-circle",
    "code": "code",
    "source": "git-branch",
    "repository": "git-branch",
    "git": "git-branch",
    "run": "player-play",
    "logs": "terminal-2",
}
"""Names that Backstage files use for links; others are tried as names of the sprite."""


@cache
def names() -> frozenset[str]:
    """All icons there are."""
    return frozenset(part.partition('"')[0] for part in _SPRITE.read_text().split('id="')[1:])


def of_kind(kind: str) -> str:
    return _KINDS.get(kind.lower(), "cube")


def of_link(name: str) -> str:
    name = (name or "").lower()
    return _LINKS.get(name) or (name if name in names() else "link")


def of_type(name: str) -> str:
    """Of a ResourceType: the Tabler icon it names, when the sprite has it."""
    return name if name in names() else "cube"
