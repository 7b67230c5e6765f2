"""What stands between a valid request and the store: stamps, checks of built-in kinds, workspace creation.

Not here: schema validation (``writing``) and access (``authorizing``)."""
