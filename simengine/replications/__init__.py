"""Simulate and settle replications: blocks on threads, ensembles, money by party, and stored evidence."""
