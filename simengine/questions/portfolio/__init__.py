"""A portfolio of several studies."""
