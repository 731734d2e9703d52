"""False-positive and false-negative payments."""
