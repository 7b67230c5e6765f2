"""Typed specs per API group. They are the source of the CRDs that the API serves."""
