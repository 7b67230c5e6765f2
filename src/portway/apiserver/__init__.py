"""The Kubernetes API: verbs, discovery, OpenAPI, CRDs, apply, tables, watch, authn, authz, workspaces."""
