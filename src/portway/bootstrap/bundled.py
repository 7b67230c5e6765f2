"""Folders that come with Portway: inside the installed package, or in the source tree."""

from __future__ import annotations

from pathlib import Path

import portway
from portway.bootstrap.errors import StartError


def folder(name: str) -> Path:
    """``examples/acme`` or ``docs``. Raises StartError when the installation lacks it."""
    package = Path(portway.__file__).resolve().parent
    for candidate in (package / "bundled" / name, package.parent.parent / name):
        if candidate.is_dir():
            return candidate
    raise StartError(f"The folder {name} is missing from this installation of Portway; install it again.")
