"""The compiled loops of a contract: its program, and its rate cards."""
