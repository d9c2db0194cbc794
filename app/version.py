"""Fairlock's version: the one place in the program that names it. ``pyproject.toml`` says the same, by test."""

VERSION = "0.1.0"
