"""Results known so far turn the numbers of a study into their posterior: a study that can be run."""
