"""Stands in for the shell: starts a real guard through the supervisor and passes messages on, a line each.

Lines on standard input go to the guard, its messages to standard output. At the end of input it stops the guard as
the shell does. Run as a program of its own, so that a test can kill it.
"""

import sys
from pathlib import Path

from app.channel import decode, encode
from app.guard.options import GuardOptions
from app.guard.process import main as guard_main
from app.supervisor import Supervisor


def main() -> None:
    """Serve until standard input ends."""

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    supervisor = Supervisor()
    child = supervisor.spawn(
        "guard",
        guard_main,
        GuardOptions(restore_file=Path(sys.argv[1])),
        on_message=lambda message: say(encode(message).decode()),
        on_closed=lambda: say("closed"),
    )
    say(f"guard {child.process.pid}")
    for line in sys.stdin:
        child.send(decode(line.strip().encode()))
    say(f"stopped {supervisor.stop(5.0)['guard']}")


if __name__ == "__main__":
    main()
