"""Predefined atoms."""

ATOM: int
PRIMARY: int
STRING: int
