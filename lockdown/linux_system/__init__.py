"""What the Linux kernel says about the computer, on every desktop: ``/sys``, ``/proc``, kernel events. Read-only."""
