"""Composition root: settings, store, drivers, servers, start and stop."""
