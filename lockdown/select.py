"""Chooses the backend for this system. The only place in lockdown that asks which system it is.

Each backend has the same functions: ``lockdown.linux``, ``lockdown.windows.desktop``, ``lockdown.macos.desktop``.
"""

import sys

if sys.platform == "win32":
    from lockdown.windows import desktop as _backend
elif sys.platform == "darwin":
    from lockdown.macos import desktop as _backend
else:
    from lockdown import linux as _backend  # its libraries are installed on Linux only


def system() -> str:
    """Return "linux", "windows" or "macos", as the lists of programs name them."""
    return _backend.NAME


session_type = _backend.session_type
platform = _backend.platform
tier = _backend.tier
doubts = _backend.doubts
absent = _backend.absent
replayers = _backend.replayers
process_table = _backend.process_table
births = _backend.births
copies = _backend.copies
window_owners = _backend.window_owners
window_closer = _backend.window_closer
