"""Several contracts on the same people: who gains, who loses."""
