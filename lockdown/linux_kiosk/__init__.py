"""Lockdown in a kiosk session of our own (tier A): a compositor that shows the exam and nothing else.

The exam is an X11 client of it, so that every X11 part holds here as well (docs/adr/0010).
"""
