"""Documents that somebody reads instead of a terminal: a report for a finance committee, in several languages, as HTML or PDF."""
