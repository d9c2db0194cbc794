"""One widget per state of a session. They show what they are given and say what was pressed; they decide nothing."""
