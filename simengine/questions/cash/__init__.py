"""The cash of every party over time."""
