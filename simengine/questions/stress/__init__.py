"""What becomes of each party in bad times."""
