"""The value of information before signing."""
