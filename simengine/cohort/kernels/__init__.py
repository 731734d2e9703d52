"""The compiled loops of the people: enter, live, count. Arrays in, arrays filled; no person outlives a batch."""
