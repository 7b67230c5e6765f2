"""Workspace paths such as ``root:acme:payments``: what URLs, manifests and people call a workspace.

The rules of a name are kcp's (``logicalcluster`` and its Workspace kind): a DNS label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

ROOT_NAME = "root"
HOME_NAME = "user"
"""First name of the paths of home workspaces, ``user:<name>``, which have nothing above them."""
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
    """The names from the top down: ``root`` or a home, ``user:<name>``. Build it with ``parse`` or ``join``."""

    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> WorkspacePath:
        """Raises InvalidPath, whose message is fit for the user."""
        names = tuple(text.split(SEPARATOR))
        if names[0] != ROOT_NAME and (names[0] != HOME_NAME or len(names) == 1):
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
        """None for the root and for a home."""
        return WorkspacePath(self.names[:-1]) if len(self.names) > self._top else None

    @property
    def is_root(self) -> bool:
        return self.names == (ROOT_NAME,)

    @property
    def _top(self) -> int:
        """How many names the uppermost path has."""
        return 2 if self.names[0] == HOME_NAME else 1

    def join(self, name: str) -> WorkspacePath:
        return WorkspacePath((*self.names, check_name(name)))

    def ancestors(self) -> Iterator[WorkspacePath]:
        """Nearest first, up to the top; without itself."""
        for length in range(len(self.names) - 1, self._top - 1, -1):
            yield WorkspacePath(self.names[:length])

    def is_ancestor_of(self, other: WorkspacePath) -> bool:
        """Strictly above: no path is its own ancestor."""
        return len(self.names) < len(other.names) and other.names[: len(self.names)] == self.names


ROOT = WorkspacePath((ROOT_NAME,))
