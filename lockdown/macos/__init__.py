"""Lockdown on macOS (tier C). Written from Apple's documentation and headers; never run on macOS by us.

``functions`` lists every function of macOS that is called, ``core`` reads Core Foundation's values. All other modules
take them as ``api``, so that the tests can answer in macOS' place, call by call (``tests/macos_machine.py``).
"""
