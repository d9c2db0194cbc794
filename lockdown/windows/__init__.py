"""Lockdown on Windows (tier C). Written from Microsoft's documentation and headers; never run on Windows by us.

``functions`` lists every function of Windows that is called, ``binary`` the structures that go with them. All other
modules take them as ``api``, so that tests can answer in Windows' place, call by call (``tests/windows_machine.py``).
"""
