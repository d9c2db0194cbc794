"""The shell's process: what the candidate starts. Imports Qt only after the environment was made safe for it."""

import os
import sys
from pathlib import Path

from app import childless, launch, paths
from app.shell import libraries, selftest
from app.shell.options import ShellOptions

__all__ = ["ShellOptions", "run"]


def run(options: ShellOptions) -> int:
    """Take one exam and return the exit code (``app.shell.course.ExitCode``).

    Raises ``UserFacing`` for what keeps Qt from starting, before any window exists: ``E-ARGUMENT``,
    ``E-ENVIRONMENT``, ``E-ALREADY-RUNNING``, ``E-SYSTEM-LIBRARY``, ``E-DESKTOP``; ``Fatal(E-SELF-TEST)`` for a bad
    build. May start the program again, in a cleaned environment or without somebody else's children.
    """
    started = launch.prepare()
    childless.make_sure()
    with launch.single_instance(paths.runtime_dir()):
        bundle = getattr(sys, "_MEIPASS", None)
        libraries.check(x11=_uses_x11(), bundle=Path(bundle) if bundle else None)
        libraries.check_display(os.environ)
        try:
            from app.shell import application  # noqa: PLC0415  (imports Qt)
        except ImportError as error:
            raise libraries.explain(error) from error
        selftest.run()
        return application.run(options, started)


def _uses_x11() -> bool:
    return os.environ.get(launch.PLATFORM, "xcb") == "xcb" and bool(os.environ.get("DISPLAY"))
