"""What is paid for nothing and withheld for something."""
