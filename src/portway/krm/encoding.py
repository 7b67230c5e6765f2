"""Manifests as YAML, for whoever reads them next: by the rules of YAML 1.1 or of 1.2."""

from __future__ import annotations

import re
from typing import Any

import orjson
import yaml

_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")
"""What only readers of YAML 1.2 take for a number."""


class _Dumper(yaml.CSafeDumper):  # type: ignore[misc]  # yaml brings no types
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the base class's signature
        return True


def _text(dumper: _Dumper, value: str) -> Any:
    style = "|" if "\n" in value else '"' if _NUMBER.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(value: Any) -> str:
    """In block style, keys as they come."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000))


def json_to_yaml(body: bytes) -> bytes:
    """With keys in alphabetical order, as Go's encoders have them."""
    return to_yaml(orjson.loads(orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS))).encode()
