"""One replication from its draws to its postings."""
