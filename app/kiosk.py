"""``fairlock kiosk``: what a testing centre's session runs: a start page, one exam, the end. Imports no Qt."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from getpass import getpass
from pathlib import Path

from app import open as opening
from app import station
from app.contract import canonical
from app.contract.codes import stored_form
from app.contract.errors import FairlockError
from app.contract.wire import ExamLink
from app.shell.process import run

DONE, FAILED = 0, 1


def main(arguments: Sequence[str]) -> int:
    """Wait for a candidate and take one exam; returns the exit code (``app.shell.course.ExitCode``)."""
    parser = argparse.ArgumentParser(
        prog="fairlock kiosk", description="Run the seat of a testing centre for one exam."
    )
    parser.add_argument("--link", default="", help="open this exam instead of asking for a code")
    parser.add_argument("--settings", type=Path, default=station.SETTINGS, metavar="FILE")
    parser.add_argument("--seat", default="", metavar="NAME", help="this seat's name (default: the computer's)")
    parser.add_argument("--release-file", type=Path, metavar="FILE", help="made when the invigilator ends the kiosk")
    parser.add_argument("--make-pin", action="store_true", help="ask for a PIN and print its line for the settings")
    opening.add_common(parser)
    given = parser.parse_args(arguments)
    if given.make_pin:
        return make_pin()
    try:
        seat = station.read(given.settings, seat=given.seat)
        if given.link:  # the administrator's word; a candidate can't give arguments
            ExamLink.parse(given.link)
        link = given.link
        options = opening.shell_options(given, link)
        return run(replace(options, station=replace(seat, release_file=given.release_file)))
    except FairlockError as error:
        print(f"{error}  [{error.code}]", file=sys.stderr)  # noqa: T201  (there is no window yet)
        return FAILED


def make_pin() -> int:
    """Ask for the invigilator's PIN twice and print what the settings hold of it."""
    pin = getpass("New PIN of the invigilator: ").strip()
    if len(pin) < station.LEAST_PIN:
        print(f"Take at least {station.LEAST_PIN} characters.", file=sys.stderr)  # noqa: T201  (a command's answer)
        return FAILED
    if getpass("Once more: ").strip() != pin:
        print("These were not the same.", file=sys.stderr)  # noqa: T201  (likewise)
        return FAILED
    print(f'pin = "{canonical.b64(stored_form(pin))}"')  # noqa: T201  (likewise)
    return DONE
