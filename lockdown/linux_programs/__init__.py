"""Programs on Linux, on any desktop: the table from ``/proc``, what an executable is, and news of new ones."""
