"""What a process that only serves the API loads: the sum of these imports is most of its start."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CLIENTS = {"httpx", "asyncpg", "dulwich"}
_LANGUAGES = {"jwt", "yaml", "pydantic", "regopy", "jinja2"}
_FACES = {"rich", "typer", "starlette"}


def _loaded(module: str) -> set[str]:
    """Names of the modules in a process that imports this one, with one level of packages."""
    code = f"import sys, {module}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return {".".join(name.split(".")[:2]) for name in found.stdout.split()}


@pytest.mark.parametrize("module", ["portway.bootstrap.serving", "portway.apiserver.app"])
def test_the_api_is_imported_without_what_its_first_answer_does_not_need(module: str) -> None:
    assert _loaded(module) & (_CLIENTS | _LANGUAGES | _FACES) == set()


def test_the_api_imports_nothing_of_controllers_drivers_and_portal() -> None:
    others = {"controllers", "drivers", "portal", "index", "catalog", "scaffolder", "techdocs", "cli"}
    assert _loaded("portway.bootstrap.serving") & {f"portway.{name}" for name in others} == set()
