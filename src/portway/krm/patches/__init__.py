"""The three kinds of patch bodies: JSON merge patch, JSON patch, strategic merge patch.

Each returns a new value that shares nothing with its arguments; a patch that does not fit is a StatusError.
Server-side apply is ``portway.krm.apply``.
"""

from __future__ import annotations

from portway.krm.patches.merging import merge_patch
from portway.krm.patches.operations import json_patch
from portway.krm.patches.strategic import strategic_merge_patch

__all__ = ["json_patch", "merge_patch", "strategic_merge_patch"]
