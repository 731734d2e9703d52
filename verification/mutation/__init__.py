"""Small errors planted in the kernels and the rules of money, and whether the tests of their room notice."""
