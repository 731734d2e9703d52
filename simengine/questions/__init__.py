"""What people ask of a deal: one folder, one question."""
