"""Pure object machinery of the Kubernetes resource model: identity, selectors, patches, apply, schemas, Status.

Nothing here does I/O or knows of workspaces, stores or HTTP."""
