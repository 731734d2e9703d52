"""Problems of inference: the numbers behind counts, spells and interim results, with a hidden truth and a reference posterior.

Every problem has ten data sets. The truth behind each is drawn from the prior, so an honest posterior covers it as often as it says.
"""
