"""Modules that are loaded when something of them is first used: large ones that a start does not need.

``httpx = lazily.module("httpx")`` stands where ``import httpx`` would, which only type checkers get to see.
"""

from __future__ import annotations

import importlib
from typing import Any


class _Module:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self._name), name)
        setattr(self, name, value)
        return value


def module(name: str) -> Any:
    """Stands in for the module: an attribute is looked up in it once and kept."""
    return _Module(name)
