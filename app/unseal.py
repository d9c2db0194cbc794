"""``fairlock open ARCHIVE --key KEYFILE --out DIR``: checks an exported session and opens it into playable files.

Runs alone in its own process, on any machine, with neither server nor network. What was changed is refused by name and
left out, so is what is repeated; the rest is opened. Exit codes are those of ``fairlock verify``.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from app import verify
from app.contract.errors import FairlockError, Outcome
from app.contract.sealing.archive import open_export
from app.contract.sealing.evidence import Verdict
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment
from app.unsealed import Unsealed

SEGMENTS = "segments/"


def main(argv: Sequence[str]) -> int:
    """Run the command with ``argv`` (without the program's name); returns the exit code."""
    arguments = _parser().parse_args(argv)
    # What is opened here is for whoever opened it.
    before = os.umask(0o077)
    try:
        return _run(arguments)
    except FairlockError as error:
        verify.say_refusal(error)
        return verify.EXIT_UNREADABLE
    finally:
        os.umask(before)


def _run(arguments: argparse.Namespace) -> int:
    private_key = verify.read_key(arguments.key, arguments.passphrase_file)
    pin = verify.read_pin(arguments.pin) if arguments.pin else None
    with open_export(arguments.export) as opened:
        manifest = opened.manifest()
    progress = _progress(len(manifest.records))
    with Unsealed(arguments.out, manifest.session) as files:

        def look(record: Record, segment: OpenedSegment | None) -> None:
            files.look(record, segment)
            progress()

        report = verify.check(arguments.export, pin=pin, private_key=private_key, on_segment=look)
        seen = [{"kind": one.kind, "at_ms": one.at_ms, "facts": dict(one.facts)} for one in manifest.server_incidents]
        left_out = _left_out(files, report.verdict)
        opened_files = {**files.summary(), "left_out": left_out}
        files.write_json(
            "report.json", {**verify.to_json(report), "server_incidents": seen, "opened_files": opened_files}
        )
    lines = [*verify.describe(report), "", *_written(files, arguments.out), *_shown(left_out)]
    sys.stdout.write("\n".join(map(verify.plain, lines)) + "\n")
    return report.exit_code


def _left_out(files: Unsealed, verdict: Verdict) -> list[dict[str, str | int]]:
    """Return which segments are in none of the files, though they are in the export, and why (the first reason)."""
    reasons = dict(files.left_out)
    for fault in verdict.faults:
        is_segment = fault.where.startswith(SEGMENTS) and fault.where not in files.written
        if is_segment and fault.outcome not in (Outcome.BROKEN_CHAIN, Outcome.MISSING):
            reasons.setdefault((fault.where, fault.outcome), 1)
    first = {name: (why, times) for (name, why), times in reversed(reasons.items())}
    return [{"segment": name, "why": why, "times": times} for name, (why, times) in sorted(first.items())]


def _shown(left_out: Sequence[Mapping[str, str | int]]) -> Iterator[str]:
    for one in left_out[: verify.SHOWN_FAULTS]:
        yield f"LEFT OUT: {one['segment']}: {one['why']}, {one['times']} times."
    if len(left_out) > verify.SHOWN_FAULTS:
        yield f"… and {len(left_out) - verify.SHOWN_FAULTS} more segments were left out; report.json names them."


def _progress(total: int) -> Callable[[], None]:
    """Return what is called for each segment: tells each tenth that is done, on the error stream."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done * 10 // total > (done - 1) * 10 // total:
            sys.stderr.write(f"{done} of {total} segments\n")

    return step


def _written(files: Unsealed, folder: Path) -> list[str]:
    lines = [f"Opened into {folder}:"]
    lines += [
        f"  {one.file:<20} {one.from_ms / 1000:.1f} s to {one.to_ms / 1000:.1f} s, {one.segments} segments"
        for one in files.recordings
    ]
    lines.append(f"  {'journal.json':<20} {files.entries} entries")
    if files.pictures:
        lines.append(f"  {'pictures/':<20} {files.pictures} pictures, listed in pictures.json")
    lines += [f"NOT READ: {name} was opened, but holds something else than its track should." for name in files.unread]
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fairlock open", description="Check an exported session and open it.")
    parser.add_argument("export", type=Path, metavar="ARCHIVE", help="the export: a .zip file or a folder")
    parser.add_argument("--key", type=Path, metavar="KEYFILE", required=True, help="an examiner's protected key")
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="a new folder for the opened files")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="file whose first line is the passphrase")
    parser.add_argument("--pin", help="id of the institution's key, or one of its exam links; write --pin=PIN")
    return parser
