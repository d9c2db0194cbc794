"""``fairlock demo``: runs the rehearsal and turns what came of it into an exit code."""

import argparse
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from app.contract.agreement import Allowance
from app.contract.errors import FairlockError
from app.demo.rehearsal import RehearsalOptions, rehearse

SHORTEST_S = 10
_ENDINGS = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def main(arguments: Sequence[str]) -> int:
    """Run the demonstration; 0 only if the evidence verified and nothing was lost."""
    options = _parse(arguments)
    unwind_when_told_to_end()
    try:
        return rehearse(options)
    except FairlockError as error:
        print(f"\n{error}", file=sys.stderr)  # noqa: T201  (a command's answer)
        return 1
    except KeyboardInterrupt:
        return 130


def unwind_when_told_to_end() -> None:
    """Turn SIGTERM and a closed terminal into ``SystemExit``, so that server, display and decoy are ended too."""
    for name in _ENDINGS:
        signal.signal(getattr(signal, name), _leave)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    for name in _ENDINGS:  # a second one must not cut the unwinding short
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise SystemExit(128 + number)


def _parse(arguments: Sequence[str]) -> RehearsalOptions:
    parser = argparse.ArgumentParser(
        prog="fairlock demo",
        description="Run one exam from the link to the examiner's report, with real parts, on this machine alone.",
    )
    parser.add_argument("--seconds", type=int, default=40, help="how long the exam lasts (default 40)")
    parser.add_argument("--headless", action="store_true", help="on an own virtual display; ends by itself")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--export", type=Path, metavar="DIR", help="leave the exported evidence and its key here")
    parser.add_argument("--size", default="1280x800", help="of the virtual display (default 1280x800)")
    parser.add_argument("--screenshots", type=Path, metavar="DIR", help="save a picture of every screen")
    parser.add_argument("--samples", action="store_true", help="use sample footage even where there are devices")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in this folder and leave everything there")
    parser.add_argument(
        "--allow", action="append", default=[], type=Allowance, choices=list(Allowance), help="grant the candidate this"
    )
    parser.add_argument("--extra-time", type=int, default=0, metavar="PERCENT", help="time on top of the exam's")
    given = parser.parse_args(arguments)
    if given.seconds < SHORTEST_S:
        parser.error(f"--seconds must be at least {SHORTEST_S}: shorter than two segments shows nothing")
    if not re.fullmatch(r"[1-9]\d{2,3}x[1-9]\d{2,3}", given.size):
        parser.error("--size must be width x height in pixels, like 1280x800")
    if given.extra_time < 0:
        parser.error("--extra-time must not be negative: it is time on top, in percent")
    return RehearsalOptions(
        seconds=given.seconds,
        headless=given.headless,
        report=given.report,
        export=given.export,
        size=given.size,
        screenshots=given.screenshots,
        samples=given.samples,
        keep=given.keep,
        allowances=tuple(dict.fromkeys(given.allow)),
        extra_time_permille=given.extra_time * 10,
    )
