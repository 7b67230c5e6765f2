"""Logs, metrics and traces: constant messages with keys. No decisions are taken here."""
