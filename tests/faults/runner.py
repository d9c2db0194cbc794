"""The real shell and the real guard as a program of their own: ``python -m tests.faults.runner OPTIONS.json``.

With a ``link`` in the options the recorder is the real one as well, else one without devices plays it.
"""

import json
import logging
import multiprocessing
import sys
from pathlib import Path
from typing import Any

from app import paths
from app.contract.policy import Lockdown
from app.guard.options import GuardOptions
from app.recorder.options import RecorderOptions
from app.shell import rehearsal
from app.shell.options import ShellOptions
from app.shell.process import run
from lockdown import select
from lockdown.rule_lists import builtin_rules

PACE_MS = 50
"""How soon a button presses itself: nobody looks on."""


def main() -> int:
    """Return the shell's exit code."""
    multiprocessing.freeze_support()
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
    defaults = rehearsal.Rehearsal.__init__.__kwdefaults__
    assert defaults is not None
    defaults["pace_ms"] = PACE_MS
    given = json.loads(Path(sys.argv[1]).read_text())
    guard = GuardOptions(restore_file=paths.restore_file())
    recorder: dict[str, Any] = _real_recorder(given) if "link" in given else _played_recorder(given)
    return run(ShellOptions(guard_options=guard, rehearse=True, **recorder))


def _played_recorder(given: dict[str, str]) -> dict[str, Any]:
    # The real guard must not close what runs on the machine of whoever runs the tests.
    permit = tuple(sorted(builtin_rules(select.system()).names))
    policy = {"lockdown": Lockdown(require=(), permit=permit, close_grace_ms=500)}
    return {
        "link": "fairlock://join",
        "recorder_options": {**given, "policy": policy, "tick_s": 0.05},
        "recorder_entry": "tests.e2e.shell_children:recorder",
    }


def _real_recorder(given: dict[str, str]) -> dict[str, Any]:
    options = RecorderOptions(
        home=paths.data_dir(),
        prefer_samples=True,
        sample_camera=Path(given["sample_camera"]),
        sample_microphone=Path(given["sample_microphone"]),
    )
    return {"link": given["link"], "recorder_options": options}


if __name__ == "__main__":
    sys.exit(main())
