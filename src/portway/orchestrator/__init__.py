"""Decisions of the platform engine, as pure as possible: matching, planning, Score, placeholders."""
