"""Each party's variance and tail by source, and the joint risk by party."""
