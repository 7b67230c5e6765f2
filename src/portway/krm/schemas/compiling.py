"""Remembers what was compiled from a schema, by identity first and by content second.

The identity look-up costs a dictionary access; two equal schemas decoded twice (a CRD read again from the store,
one export bound in a thousand workspaces) still share one result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import orjson

T = TypeVar("T")
Schema = Mapping[str, Any]

LIMIT = 8192
"""Identities remembered at most; beyond it all are forgotten at once, which only costs recompiling."""


class Compiled(Generic[T]):
    def __init__(self, compile_schema: Callable[[Schema], T]) -> None:
        self._compile = compile_schema
        # The schema itself is kept with the result: as long as it is, its id cannot be reused.
        self._by_id: dict[int, tuple[Schema, T]] = {}
        self._by_content: dict[bytes, T] = {}

    def __call__(self, schema: Schema) -> T:
        known = self._by_id.get(id(schema))
        return known[1] if known is not None else self._remember(schema)

    def _remember(self, schema: Schema) -> T:
        if len(self._by_id) >= LIMIT:
            self._by_id.clear()
            self._by_content.clear()
        content = digest(schema)
        if content not in self._by_content:
            self._by_content[content] = self._compile(schema)
        result = self._by_content[content]
        self._by_id[id(schema)] = (schema, result)
        return result


def digest(schema: Schema) -> bytes:
    """Identifies the content. Key order counts: properties are reported in the order of their declaration."""
    return hashlib.blake2b(orjson.dumps(schema, default=dict), digest_size=20).digest()
