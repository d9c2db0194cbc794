"""Reads how the desktop session came about: the login manager's record of it, and variables of remote logins."""

import re
from collections.abc import Mapping

from lockdown.environment.remote import REMOTE_VARIABLES
from lockdown.linux_system.roots import Roots, entries, text

_DESKTOPS = ("x11", "wayland", "mir")


def is_remote_desktop(roots: Roots, user: int) -> bool:
    """Whether systemd-logind calls a desktop session of ``user`` (a user id) remote. A login by SSH beside it is not.

    Source: ``/run/systemd/sessions``, which ``sd_session_is_remote`` reads.
    """
    for record in entries(roots.run / "systemd/sessions"):
        fields = dict(re.findall(r"^(\w+)=(.*)$", text(record), re.MULTILINE))
        if fields.get("UID") == str(user) and fields.get("TYPE") in _DESKTOPS and fields.get("REMOTE") == "1":
            return True
    return False


def remote_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of variables that remote logins set; their values are not looked at."""
    return tuple(name for name in REMOTE_VARIABLES if name in environment)
