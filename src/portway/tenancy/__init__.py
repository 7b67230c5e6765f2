"""Workspace paths and the rules about them (pure)."""
