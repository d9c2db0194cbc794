"""What ``fairlock evaluate`` can be asked, and the command as it would be typed again. Reads the policy's file."""

import argparse
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.contract import schema
from app.contract.errors import FairlockError, UserFacing
from app.contract.legible import legible
from app.contract.policy import Detection
from app.evaluation.goals import measuring_policy

HOLD_S = 3.0
"""For how long a still picture is held, by default."""
_LONGEST_S = 3600.0


def options(argv: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for; leaves the program where that can't be read."""
    parser = argparse.ArgumentParser(
        prog="fairlock evaluate",
        description="Run the detectors over recordings whose truth is known, and say how right they are.",
        epilog="docs/recording-kit.md describes the folder and the formats of truth.",
    )
    parser.add_argument("folder", type=Path, help="videos, sound and pictures, with their truth")
    parser.add_argument("--policy", help="JSON file with settings of `detection`, or the word default")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write a page with pictures of each fault there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")
    parser.add_argument("--write-docs", type=Path, metavar="FILE", help="write docs/accuracy.md")
    parser.add_argument("--hold", type=_seconds, default=HOLD_S, help="seconds for which a still picture is held (3)")
    parser.add_argument("--only", default="", help="evaluate only what has this text in its path")
    parser.add_argument("--limit", type=_count, help="evaluate at most so many recordings of each folder")
    return parser.parse_args(argv)


def command(asked: argparse.Namespace) -> str:
    """Return the command that was run, with all that changes its result; absolute paths by their last name."""
    words = ["fairlock", "evaluate", _plain(asked.folder)]
    if asked.policy is not None:
        words += ["--policy", _plain(Path(asked.policy))]
    if asked.hold != HOLD_S:
        words += ["--hold", f"{asked.hold:g}"]
    if asked.only:
        words += ["--only", legible(asked.only)]
    if asked.limit is not None:
        words += ["--limit", str(asked.limit)]
    if asked.write_docs is not None:
        words += ["--write-docs", _plain(asked.write_docs)]
    return shlex.join(words)


def policy_named(given: str | None) -> Detection:
    """Return the policy to measure with. Raises ``UserFacing`` (E-EVALUATE)."""
    if given is None:
        return measuring_policy()
    if given == "default":
        return Detection()
    try:
        settings = json.loads(Path(given).read_bytes())
        default: dict[str, Any] = json.loads(schema.dumps(Detection()))
        return schema.from_json(Detection, {**default, **settings.get("detection", settings)})
    except (OSError, ValueError, AttributeError, TypeError, RecursionError, FairlockError) as error:
        raise UserFacing(
            f"{given} can't be read: {str(error).rstrip('.')}.",
            advice="Name a JSON file with settings of `detection` as docs/policy.md lists them.",
            code="E-EVALUATE",
        ) from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no such time. Write seconds, over 0, at most {_LONGEST_S:g}.")
    return seconds


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no such number. Write a whole number from 1 on.")
    return int(text)


def _plain(path: Path) -> str:
    return legible(path.name if path.is_absolute() else path.as_posix())
