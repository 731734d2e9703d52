"""A municipality's own spells: read, checked and cleaned, and fitted to the pathway of a study."""
