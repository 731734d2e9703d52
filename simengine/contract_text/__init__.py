"""Contracts in words: explained, checked, plotted, and compared with what was published."""
