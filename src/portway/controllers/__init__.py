"""Controllers of the platform, one sub-package per kind. They reach objects only through client."""
