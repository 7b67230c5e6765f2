"""The API groups of Portway's own kinds, apart from their types: who only names a kind need not load its model."""

from __future__ import annotations

PLATFORM = "platform.portway.dev"
CATALOG = "catalog.portway.dev"
PORTAL = "portal.portway.dev"
CLAIMS = "resources.portway.dev"
EXPORT = "portway.dev"
"""The APIExport in root that offers all but the claims."""
VERSION = "v1alpha1"
"""Of all but the claims, whose types say theirs."""
