"""What the surroundings of an exam say: observations turned into scored evidence. Pure; others do the reading."""
