"""The institution's server: it stores what it cannot read, and knows whether a candidate's application runs."""
