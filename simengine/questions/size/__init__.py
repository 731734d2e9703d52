"""The terms that every party can sign, and which of them to choose."""
