"""What knowing more is worth before signing."""
