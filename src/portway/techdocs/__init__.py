"""Markdown documentation: rendered, sanitised, with navigation and search text."""
