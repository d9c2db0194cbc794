"""The command ``fairlock``: picks what to run. Imports nothing heavy before it knows."""

import multiprocessing
import sys
from collections.abc import Callable, Sequence

from app.version import VERSION

USAGE = """\
fairlock open LINK            take an exam
fairlock open EXPORT --key KEYFILE --out DIR   check exported evidence and open it into playable files
fairlock demo                 show the whole line on this machine
fairlock kiosk                run a testing centre's seat for one exam
fairlock upload [--end]       send evidence that an earlier exam left on this computer
fairlock verify EXPORT        check exported evidence without a server
fairlock models               list or fetch the detection models
fairlock evaluate FOLDER      measure the detectors on recordings whose truth is known
fairlock restore              undo what a crash may have left changed
fairlock --version

Each command explains itself with --help.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; returns the exit code."""
    # First of all: a frozen child process must become the child, not a second application.
    multiprocessing.freeze_support()
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else ""
    if name.startswith("fairlock:"):  # a browser hands over the bare link
        given = ["open", *given]
        name = "open"
    command = COMMANDS.get(name)
    if command is not None:
        return command(given[1:])
    if name == "--version":
        from app.self_hash import self_hash  # noqa: PLC0415  (likewise)

        print(f"fairlock {VERSION}\nself-hash {self_hash()}")  # noqa: T201  (a command's answer)
        return 0
    print(USAGE, end="", file=sys.stdout if name in ("-h", "--help") else sys.stderr)
    return 0 if name in ("-h", "--help") else 2


def _open(arguments: Sequence[str]) -> int:
    if any(argument.partition("=")[0] in ("--out", "--key") for argument in arguments):  # evidence, not an exam
        from app.unseal import main as unseal  # noqa: PLC0415  (other commands start without it)

        return unseal(arguments)
    from app.open import main as run  # noqa: PLC0415  (the environment is scrubbed before Qt is imported)

    return run(arguments)


def _demo(arguments: Sequence[str]) -> int:
    from app.demo.cli import main as run  # noqa: PLC0415  (other commands start without it)

    return run(arguments)


def _kiosk(arguments: Sequence[str]) -> int:
    from app.kiosk import main as run  # noqa: PLC0415  (likewise)

    return run(arguments)


def _upload(arguments: Sequence[str]) -> int:
    from app.recorder.leftovers import main as run  # noqa: PLC0415  (likewise)

    return run(arguments)


def _verify(arguments: Sequence[str]) -> int:
    from app.verify import main as run  # noqa: PLC0415  (likewise)

    return run(arguments)


def _models(arguments: Sequence[str]) -> int:
    from app.models.cli import main as run  # noqa: PLC0415  (likewise)

    return run(arguments)


def _evaluate(arguments: Sequence[str]) -> int:
    from app.evaluation.cli import main as run  # noqa: PLC0415  (likewise)

    return run(arguments)


def _restore(arguments: Sequence[str]) -> int:
    from app.guard.restore_cli import main as run  # noqa: PLC0415  (likewise)

    return run(arguments)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "open": _open,
    "demo": _demo,
    "kiosk": _kiosk,
    "upload": _upload,
    "verify": _verify,
    "models": _models,
    "evaluate": _evaluate,
    "restore": _restore,
}

if __name__ == "__main__":
    sys.exit(main())
