"""Where sealed segments lie: the seam, and one module per kind of store."""
