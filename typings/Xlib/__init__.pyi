"""What ``lockdown.linux_x11`` uses of python-xlib, which ships no types and builds its methods at run time."""
