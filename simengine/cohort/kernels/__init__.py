"""The compiled loops of the people: enter, walk, count. Arrays in, arrays filled; nothing is stored beyond a batch."""
