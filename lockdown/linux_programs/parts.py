"""Puts the parts for programs on Linux together for ``lockdown.select``."""

from lockdown.births import Births
from lockdown.linux_programs import installed
from lockdown.linux_programs.births import NewPrograms
from lockdown.linux_programs.origin import Origins
from lockdown.linux_programs.table import ProcfsTable
from lockdown.processes import ProcessTable
from lockdown.rules import Rules
from lockdown.watch import Copies


def table(rules: Rules) -> ProcessTable:
    """Return the running programs; ``rules`` say which of them only run other people's."""
    return ProcfsTable(Origins(rules))


def births() -> Births:
    """Return what tells of new programs."""
    return NewPrograms()


def copies(rules: Rules) -> Copies:
    """Return what knows the copies of what is prohibited and installed here; takes a second at most."""
    return installed.copies(rules)
