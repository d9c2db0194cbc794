"""Lockdown: one Protocol per capability, one backend per operating system, and undo written before each change."""
