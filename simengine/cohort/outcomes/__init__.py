"""What is counted of people's lives: the tables that the kernels read of it."""
