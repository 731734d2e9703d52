"""What people see: tables on a terminal, JSON, a picture, a folder of results. No arithmetic of its own."""
