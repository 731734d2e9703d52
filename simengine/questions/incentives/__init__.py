"""What a contract makes people do."""
