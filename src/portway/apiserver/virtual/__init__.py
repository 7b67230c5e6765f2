"""Virtual workspaces: what is served below ``/services/``, to providers of APIs and to controllers of types."""
