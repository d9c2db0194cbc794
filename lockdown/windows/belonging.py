"""Programs whose windows belong over an exam: input methods and assistive technology, as they were installed. Pure."""

from pathlib import PureWindowsPath

from app.contract import assistive
from lockdown.processes import Program

_NAMES = assistive.SCREEN_READERS | assistive.MAGNIFIERS | assistive.INPUT_METHODS | assistive.INPUT_AIDS
_ADMINISTRATORS_FOLDERS = frozenset({"windows", "program files", "program files (x86)"})


def belongs_over_the_exam(program: Program) -> bool:
    """Whether ``program`` is one of them by name, and lies where only an administrator can put it.

    A name alone can be borrowed by a copy in the home folder.
    """
    if not assistive.names_of(program.name, program.path) & _NAMES:
        return False
    parts = PureWindowsPath(program.path).parts
    # The first part is the drive, and the folder must be at its top: a path with ".." is no answer of Windows'.
    return len(parts) > 2 and parts[1].casefold() in _ADMINISTRATORS_FOLDERS and ".." not in parts
