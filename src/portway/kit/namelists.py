"""Lists of names as one text: with commas between, or as JSON when names have commas themselves, as directories' do."""

from __future__ import annotations

import json
from collections.abc import Sequence


def joined(names: Sequence[str]) -> str:
    if any("," in name or name.startswith("[") for name in names):
        return json.dumps(list(names))
    return ",".join(names)


def parted(text: str) -> tuple[str, ...]:
    found = json.loads(text) if text.startswith("[") else text.split(",")
    return tuple(name for name in found if name)
