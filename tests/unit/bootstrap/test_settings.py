from __future__ import annotations

import re
from pathlib import Path

from portway.bootstrap import settings

ROOT = Path(__file__).resolve().parents[3]


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    read = set(re.findall(r'"(PORTWAY_[A-Z_]+)"', (ROOT / "src/portway/bootstrap/settings.py").read_text()))
    documented = set(re.findall(r"^\| `(PORTWAY_[A-Z_]+)` ", (ROOT / "docs/reference/settings.md").read_text(), re.M))
    assert read <= documented, "docs/reference/settings.md lacks a setting"
    assert len(read) >= len(settings.Settings.__dataclass_fields__) - 2


def test_the_requirements_of_the_example_are_those_portway_itself_was_locked_with() -> None:
    lock = (ROOT / "uv.lock").read_text()
    skeleton = ROOT / "examples/acme/templates/python-service/skeleton"
    wanted = (skeleton / "requirements.txt").read_text() + (skeleton / "requirements-dev.txt").read_text()
    for line in wanted.split():
        name, _, version = line.partition("==")
        assert f'name = "{name}"\nversion = "{version}"' in lock, f"{line}: then the golden path needs no download"
