"""Workspace paths such as ``root:acme:payments``: what URLs, manifests and people call a workspace.

The rules of a name are kcp's (``logicalcluster`` and its Workspace kind): a DNS label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

ROOT_NAME = "root"
SEPARATOR = ":"
NAME_LIMIT = 63
"""Characters of one name; a DNS label's."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


class InvalidPath(ValueError):
    """Not a workspace path; the message names the part that is wrong and what was expected."""


def check_name(name: str) -> str:
    """The name itself when it may name a workspace; raises InvalidPath."""
    if not name:
        raise InvalidPath("a workspace name is empty: expected lower-case letters, digits and '-'")
    if len(name) > NAME_LIMIT:
        raise InvalidPath(f"workspace name {name!r} has {len(name)} characters: at most {NAME_LIMIT} are allowed")
    if not _NAME.fullmatch(name):
        raise InvalidPath(
            f"workspace name {name!r} is not valid: expected lower-case letters, digits and '-', "
            "beginning and ending with a letter or digit"
        )
    return name


@dataclass(frozen=True, slots=True, order=True)
class WorkspacePath:
    """The names from the root down; the first is always ``root``. Build it with ``parse`` or ``join``."""

    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> WorkspacePath:
        """Raises InvalidPath, whose message is fit for the user."""
        names = tuple(text.split(SEPARATOR))
        if names[0] != ROOT_NAME:
            raise InvalidPath(f"workspace path {text!r} must begin with 'root', as in 'root:acme:payments'")
        try:
            for name in names:
                check_name(name)
        except InvalidPath as error:
            raise InvalidPath(f"workspace path {text!r}: {error}") from None
        return cls(names)

    def __str__(self) -> str:
        return SEPARATOR.join(self.names)

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def parent(self) -> WorkspacePath | None:
        """None for the root."""
        return WorkspacePath(self.names[:-1]) if len(self.names) > 1 else None

    @property
    def is_root(self) -> bool:
        return len(self.names) == 1

    def join(self, name: str) -> WorkspacePath:
        return WorkspacePath((*self.names, check_name(name)))

    def ancestors(self) -> Iterator[WorkspacePath]:
        """Nearest first, up to the root; without itself."""
        for length in range(len(self.names) - 1, 0, -1):
            yield WorkspacePath(self.names[:length])

    def is_ancestor_of(self, other: WorkspacePath) -> bool:
        """Strictly above: no path is its own ancestor."""
        return len(self.names) < len(other.names) and other.names[: len(self.names)] == self.names


ROOT = WorkspacePath((ROOT_NAME,))
