"""The questions about a deal: one folder for each."""
