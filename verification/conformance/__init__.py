"""The conformance set worked out a second time, from the words of each contract, by small calculators that share nothing with the program.

They read the JSON files by themselves, never look at the terms, and count in fractions.
"""
