"""Structural OpenAPI v3 schemas: checking them, and pruning, defaulting and validating values with them.

Schemas are plain dictionaries that nobody changes after their first use: each is compiled once to closures.
"""

from __future__ import annotations

from portway.krm.schemas import defaulting, pruning, structural, validating

__all__ = ["defaulting", "pruning", "structural", "validating"]
