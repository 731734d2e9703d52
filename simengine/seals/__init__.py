"""Sealed forecasts: distributions fixed before the outcome is known, and scored when it is."""
