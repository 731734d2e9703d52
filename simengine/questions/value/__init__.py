"""Who pays and who saves, and what would make everybody whole."""
