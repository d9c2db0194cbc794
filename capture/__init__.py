"""Capture: sources yield frames, encoders make fragments, segments are sealed, spooled and uploaded."""
