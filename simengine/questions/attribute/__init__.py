"""Variance by source: each party's variance and tail by layer, and the common risk by party."""
