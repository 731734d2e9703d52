"""Which assumptions matter to whom."""
