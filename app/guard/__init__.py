"""The guard: a small process that watches and holds the desktop, and undoes it all when the shell dies."""
