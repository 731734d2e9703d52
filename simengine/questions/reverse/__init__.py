"""Which times are bad enough to break a deal."""
