"""The same people measured by every design."""
