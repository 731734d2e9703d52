"""Several contracts on the same people: gains and losses by party."""
