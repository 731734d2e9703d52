"""The compiled loops of the cash: walk through the calendar, add up. Arrays in, arrays filled."""
