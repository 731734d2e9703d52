"""Forecasts of real contracts: what is paid of what was planned at signing, from somebody's own download of the public tables."""
