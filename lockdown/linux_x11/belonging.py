"""Programs whose windows belong over an exam: input methods and assistive technology, as the system installed them."""

from pathlib import Path

from app.contract import assistive
from lockdown.processes import Program

_NAMES = assistive.SCREEN_READERS | assistive.MAGNIFIERS | assistive.INPUT_METHODS | assistive.INPUT_AIDS
_INTERPRETERS = ("python", "gjs")  # Orca and Onboard are scripts: the file that runs is the language's
_ROOT = 0


def belongs_over_the_exam(program: Program) -> bool:
    """Whether ``program`` is one of them by name, and its file is one that only the administrator can change.

    A name alone can be borrowed by a copy in the home folder. Any program of an interpreter that the system installed
    can still call itself "orca": the windows of that one are not reported.
    """
    if not assistive.names_of(program.name, program.path) & _NAMES or not program.path:
        return False
    try:
        status = Path(program.path).stat()
    except OSError:
        return False
    return status.st_uid == _ROOT and not status.st_mode & 0o022
