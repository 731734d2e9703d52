"""The compiled loops of the money: walk through the calendar, add up. Arrays in, arrays filled."""
