"""What an executable says it is: the bundle identifier of its application, and the team that signed it.

The signature is checked by macOS' own ``codesign``; of the answer only the team's identifier is kept.
"""

import plistlib
import re
from pathlib import Path

from app.contract.errors import Unsupported
from lockdown.capabilities import RunExternal
from lockdown.identities import OncePerFile
from lockdown.processes import Identity, Program

APPLE = "Apple"
_LARGEST_LIST = 1 << 20
_SIGNED_BY_APPLE_OR_A_DEVELOPER = "=anchor apple generic"
_TEAM = re.compile(r'certificate leaf\[subject\.OU\] = "?(\w+)"?')
_TIMEOUT_S = 10.0


class Identities:
    """Finds out what programs say they are, each file once: ``codesign`` takes its time."""

    def __init__(self, run: RunExternal) -> None:
        self._run = run
        self._known = OncePerFile(self._read)

    def of(self, program: Program) -> Identity:
        """Return what is known of ``program``; a text is empty where it says nothing."""
        return self._known(program.path)

    def _read(self, path: str) -> Identity:
        return Identity(original_name=bundle_id(Path(path)), signer=team(self._run, path))


def bundle_id(executable: Path) -> str:
    """Return the identifier of the application that ``executable`` is part of, the innermost one; empty for none."""
    for folder in executable.parents:
        if folder.suffix in (".app", ".appex", ".xpc"):
            return _identifier(folder / "Contents" / "Info.plist")
    return ""


def team(run: RunExternal, path: str) -> str:
    """Return the identifier of the team that signed ``path``, ``APPLE``, or nothing if the signature does not hold."""
    check = ["codesign", "--verify", "--ignore-resources", f"-R{_SIGNED_BY_APPLE_OR_A_DEVELOPER}", path]
    try:
        if run(check, timeout_s=_TIMEOUT_S).status != 0:
            return ""
        requirement = run(["codesign", "--display", "--requirements", "-", path], timeout_s=_TIMEOUT_S).output
    except Unsupported:
        return ""
    found = _TEAM.search(requirement)
    if found is not None:
        return found[1]
    return APPLE if requirement.rstrip().endswith("anchor apple") else ""


def _identifier(information: Path) -> str:
    try:
        if information.stat().st_size > _LARGEST_LIST:
            return ""
        content = plistlib.loads(information.read_bytes())
    except (OSError, ValueError, plistlib.InvalidFileException, OverflowError):
        return ""
    identifier = content.get("CFBundleIdentifier") if isinstance(content, dict) else None
    return identifier if isinstance(identifier, str) else ""
