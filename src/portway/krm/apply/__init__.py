"""Server-side apply: who owns which field, merging what was applied, and conflicts.

``apply.apply`` merges an applied configuration into the live object; ``apply.track_update`` records what a create,
update or patch changed. Design and terms follow sigs.k8s.io/structured-merge-diff and apimachinery's managedfields.
"""

from __future__ import annotations

from portway.krm.apply.applying import apply, track_update
from portway.krm.apply.managers import Manager

__all__ = ["Manager", "apply", "track_update"]
