"""Several studies held together."""
