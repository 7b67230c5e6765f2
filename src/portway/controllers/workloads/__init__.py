"""Workloads: Score resources become claims, claims become values, a driver runs it, the catalog shows it."""
