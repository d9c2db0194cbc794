"""Programs whose windows belong over an exam: the desktop itself, input methods and assistive technology. Pure."""

from collections.abc import Callable

from app.contract import assistive
from lockdown.processes import Program

_NAMES = assistive.SCREEN_READERS | assistive.MAGNIFIERS | assistive.INPUT_METHODS | assistive.INPUT_AIDS
_SEALED = "/System/Library/"
"""On the sealed system volume, which not even an administrator can change."""


def belongs_over_the_exam(own_user: str) -> Callable[[Program], bool]:
    """Return the function that says whether a program's windows belong over an exam.

    The menu bar and the cursor are windows of the window server, which runs as another user.
    """

    def belongs(program: Program) -> bool:
        if program.user != own_user or program.path.startswith(_SEALED):
            return True
        is_named = bool(assistive.names_of(program.name, program.path) & _NAMES)
        return is_named and program.path.startswith(("/System/", "/Library/"))

    return belongs
