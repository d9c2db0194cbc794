"""Lockdown on an X11 desktop (tier B): what needs no window of ours. Kiosk window and key grab are the shell's.

Each part opens its own connection to the X server and is used by one thread at a time.
"""
