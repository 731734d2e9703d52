"""What the length of the follow-up does."""
