"""A forecast held against what is known to have happened."""
