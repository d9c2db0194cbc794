"""Fairlock's application: what the student runs."""
