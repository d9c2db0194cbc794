"""Exams, rosters, sessions and their evidence."""
