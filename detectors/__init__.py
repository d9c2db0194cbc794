"""Detectors: what pictures and sound hold, as observations, and observations as incidents. Never a verdict."""
