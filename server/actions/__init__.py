"""Actions: the only thing that flows back from examiner to candidate."""
