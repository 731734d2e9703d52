"""What can be said of a contract in words: explained, checked, drawn, held against what was published."""
