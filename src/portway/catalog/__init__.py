"""Backstage-shaped catalog descriptors: reading, validating, references and relations (pure)."""
