"""Hostile and broken input: valid files with a few things changed, and what the commands say to them."""
