"""The distribution of what each party gets."""
