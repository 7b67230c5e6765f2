"""A workspace and the workspaces above it, by path."""

from __future__ import annotations

from collections.abc import Iterator


def upward(workspace: str) -> Iterator[str]:
    """The workspace itself, its parent, …, ``root``."""
    while workspace:
        yield workspace
        workspace = workspace.rpartition(":")[0]


def is_within(workspace: str, ancestor: str) -> bool:
    """Also true of the ancestor itself."""
    return workspace == ancestor or workspace.startswith(ancestor + ":")


def child(workspace: str, name: str) -> str:
    return f"{workspace}:{name}"
