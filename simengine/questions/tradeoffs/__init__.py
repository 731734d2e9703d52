"""What each term is worth to each party, and where it breaks even."""
