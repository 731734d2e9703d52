"""Twelve frozen problems with reference answers, and a runner that scores any method on them: see README.md beside this file."""
