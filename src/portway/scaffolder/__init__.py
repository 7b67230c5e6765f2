"""Templates (Backstage v1beta3): reading, forms, expressions, actions."""
