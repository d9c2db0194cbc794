"""The three tokens and the gate: whether this candidate's one program runs, and whether exam pages may be answered."""
