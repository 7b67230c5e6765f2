"""The order of an API's versions: v2, v1, v1beta2, v1beta1, v1alpha1, then anything else by name.

Source: k8s.io/apimachinery pkg/version ``CompareKubeAwareVersionStrings``.
"""

from __future__ import annotations

import re

_VERSION = re.compile(r"^v(\d+)(?:(alpha|beta)(\d+))?$", re.ASCII)
_STABILITY = {None: 2, "beta": 1, "alpha": 0}


def priority(version: str) -> tuple[int, ...] | tuple[int, str]:
    """Sort key; the version that clients are to prefer comes first."""
    found = _VERSION.match(version)
    if not found:
        return (1, version)
    major, stability, minor = found.groups()
    return (0, -_STABILITY[stability], -int(major), -int(minor or 0))
