"""The programs that make the reference answers of the bench which no closed form gives, and the one that freezes all answers."""
