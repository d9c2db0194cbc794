"""``fairlock evaluate``: how right the detectors are, measured on recordings whose truth is known. Never in an exam."""
