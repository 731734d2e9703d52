"""Slow twins and exact answers: plain Python that a tired person can check, to which the engine is held."""
