"""Modules loaded when they are first used."""

from __future__ import annotations

import sys

import pytest

from portway.kit import lazily


def test_a_module_is_loaded_with_its_first_attribute() -> None:
    sys.modules.pop("wave", None)
    module = lazily.module("wave")
    before = "wave" in sys.modules
    opened = module.open
    assert (before, "wave" in sys.modules) == (False, True)
    assert opened is sys.modules["wave"].open


def test_what_a_module_has_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = lazily.module("wave").no_such_name


def test_a_module_that_is_not_there_is_told_at_its_first_use() -> None:
    missing = lazily.module("no_such_module_anywhere")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        _ = missing.anything
