"""``fairlock verify EXPORT``: checks an exported session without any server, and says what it found in plain words.

Runs alone in its own process, needs neither network nor screen and writes nothing. Ends with 0 only when the evidence
is intact and complete; 1: a fault was found; 2: nothing could be checked; 3: intact, but not complete.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from app.contract import schema
from app.contract.coverage import Missing, missing, wanted
from app.contract.errors import FairlockError, IntegrityError, Outcome, UserFacing
from app.contract.journal import EntryType
from app.contract.policy import Policy
from app.contract.sealing import jws, keys
from app.contract.sealing.agreements import AgreementReader
from app.contract.sealing.archive import open_export
from app.contract.sealing.evidence import Verdict
from app.contract.sealing.records import Binding, Record
from app.contract.sealing.segment import OpenedSegment
from app.contract.sealing.verify import INTACT, OnSegment, verify_session
from app.contract.wire import ExamLink
from app.journal_bodies import JournalBodies
from app.noticed import Notice, Notices
from app.noticed import described as notices_described
from app.standing import described, last_standing

T = TypeVar("T")

EXIT_COMPLETE, EXIT_FAULTS, EXIT_UNREADABLE, EXIT_INCOMPLETE = 0, 1, 2, 3
SHOWN_FAULTS = 50
MAX_KEY_FILE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What ``fairlock verify`` says. ``exam``, ``candidate`` and ``institution`` are empty where unreadable.

    ``lockdown`` is the journal's last word on how the computer was locked; empty where the journal was not opened.
    ``missing`` are the stretches of wanted tracks that no record covers. ``agreed`` is what was granted to the
    candidate, ``notices`` what they acknowledged before; both empty where the journal was not opened.
    """

    export: str
    verdict: Verdict
    session: str
    exam: str
    institution: str
    candidate: str
    pinned: bool
    opened: bool
    lockdown: Mapping[str, object] = field(default_factory=dict)
    missing: Sequence[Missing] = ()
    agreed: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def exit_code(self) -> int:
        """The process's exit code."""
        if self.verdict.chain != INTACT:
            return EXIT_FAULTS
        return EXIT_COMPLETE if self.verdict.complete else EXIT_INCOMPLETE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (without the program's name); returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        report = check(
            arguments.export,
            pin=read_pin(arguments.pin) if arguments.pin else None,
            private_key=read_key(arguments.key, arguments.passphrase_file) if arguments.key else None,
        )
    except FairlockError as error:
        say_refusal(error, as_json=arguments.json)
        return EXIT_UNREADABLE
    lines = [json.dumps(to_json(report), indent=2)] if arguments.json else describe(report)
    sys.stdout.write("\n".join(lines) + "\n")
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fairlock verify", description="Check an exported session.")
    parser.add_argument("export", type=Path, metavar="EXPORT", help="the export: a folder or a .zip file")
    parser.add_argument("--pin", help="id of the institution's key, or one of its exam links; write --pin=PIN")
    parser.add_argument("--key", type=Path, metavar="KEYFILE", help="an examiner's protected key, to open the segments")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="file whose first line is the passphrase")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


def check(
    export: Path,
    *,
    pin: str | None,
    private_key: ec.EllipticCurvePrivateKey | None,
    on_segment: OnSegment | None = None,
) -> Report:
    """Verify an export; raises ``UserFacing`` or ``IntegrityError`` when there is nothing that can be checked.

    ``on_segment`` is told of every segment that is as it was recorded.
    """
    standings = JournalBodies(EntryType.LOCKDOWN)
    with open_export(export) as opened:
        manifest = opened.manifest()
        agreements = AgreementReader(manifest)
        notices = Notices(jws.digest(manifest.policy))

        def look(record: Record, segment: OpenedSegment | None) -> None:
            standings.look(record, segment)
            agreements.look(record, segment)
            notices.look(record, segment)
            if on_segment is not None:
                on_segment(record, segment)

        verdict = verify_session(
            manifest, opened, pin=pin, private_key=private_key, on_segment=look, grants=opened.grants
        )
    policy = _readable(Policy, manifest.policy)
    binding = _readable(Binding, manifest.bindings[0]) if manifest.bindings else None
    return Report(
        export=str(export),
        verdict=verdict,
        session=manifest.session,
        exam=f"{policy.title} ({policy.exam})" if policy else "",
        institution=policy.institution if policy else "",
        candidate=binding.candidate if binding else "",
        pinned=pin is not None,
        opened=private_key is not None and not any(fault.where == "key" for fault in verdict.faults),
        lockdown=last_standing(standings.bodies),
        agreed=agreements.granted(),
        notices=notices.acknowledged(),
        missing=missing(verdict.records, wanted(policy.capture)) if policy else (),
    )


def _readable(cls: type[T], token: str) -> T | None:
    try:
        return jws.unverified(cls, token)
    except IntegrityError:
        return None


def read_pin(text: str) -> str:
    """Return the key id in ``text``, which is one or an exam link; raises ``UserFacing``."""
    pin = ExamLink.parse(text).pin if ":" in text else text.strip()
    if len(pin) != 43:
        raise UserFacing(
            "The pin is not the id of a key.",
            advice="Give its 43 characters, or a whole exam link of the institution.",
            code="E-PIN",
        )
    return pin


def read_key(path: Path, passphrase_file: Path | None) -> ec.EllipticCurvePrivateKey:
    """Open a protected key; asks for the passphrase at the terminal without a file. Raises ``UserFacing``."""
    try:
        blob = schema.from_json(keys.ProtectedKey, json.loads(_text(path, "key file")))
        return keys.unprotect(blob, _passphrase(passphrase_file))
    except (IntegrityError, ValueError, RecursionError) as error:
        raise UserFacing(
            f"{path} is not a protected key ({error}).", advice="Name the key file as downloaded.", code="E-KEY-FILE"
        ) from error


def _passphrase(path: Path | None) -> str:
    if path is not None:
        return (_text(path, "passphrase file").splitlines() or [""])[0]
    if not sys.stdin.isatty():
        raise UserFacing(
            "The key needs its passphrase.", advice="Name a file that holds it: --passphrase-file.", code="E-PASSPHRASE"
        )
    return getpass("Passphrase of the key: ")


def _text(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_FILE).decode("utf-8")
    except OSError as error:
        raise UserFacing(
            f"The {what} {path} can't be read: {error.strerror}.", advice="Check its name.", code="E-KEY-FILE"
        ) from error
    except UnicodeDecodeError as error:
        raise UserFacing(f"The {what} {path} is not text.", advice="Check its name.", code="E-KEY-FILE") from error


def to_json(report: Report) -> dict[str, object]:
    """Return the report for scripts."""
    verdict = report.verdict
    return {
        "export": report.export,
        "session": report.session,
        "exam": report.exam,
        "institution": report.institution,
        "candidate": report.candidate,
        "pinned": report.pinned,
        "opened": report.opened,
        "lockdown": dict(report.lockdown),
        "by_agreement": list(report.agreed),
        "notices": [asdict(notice) for notice in report.notices],
        "chain": verdict.chain,
        "complete": verdict.complete,
        "records": len(verdict.records),
        "segments": dict(verdict.segments),
        "bytes": verdict.bytes,
        "missing": [{"track": m.track, "from_ms": m.from_ms, "to_ms": m.to_ms} for m in report.missing],
        "faults": [{"outcome": f.outcome, "where": f.where, "message": f.message} for f in verdict.faults],
        "grants": [asdict(one) for one in verdict.grants],
    }


def describe(report: Report) -> list[str]:
    """Return the report as lines for people."""
    named = {
        "Session": report.session,
        "Candidate": report.candidate,
        "Exam": report.exam,
        "Institution": f"{report.institution} ({'its key is the pinned one' if _pin_held(report) else 'not checked'})",
    }
    lines = [f"{name:<12} {plain(value)}" for name, value in named.items() if value]
    lines += [plain(line) for line in described(report.lockdown)]
    if report.agreed:
        lines.append(plain(f"By agreement: {', '.join(report.agreed)}"))
    lines += notices_described(report.notices, SHOWN_FAULTS)
    lines += ["", *_tracks(report.verdict), "", *_stretches(report.missing)]
    for fault in report.verdict.faults[:SHOWN_FAULTS]:
        lines.append(plain(f"FAULT  {fault.outcome:<16} {fault.where}: {fault.message}"))
    if len(report.verdict.faults) > SHOWN_FAULTS:
        lines.append(f"… and {len(report.verdict.faults) - SHOWN_FAULTS} more faults.")
    lines += [plain(line) for line in _grants(report.verdict)]
    return [*lines, *_conclusion(report)]


def _pin_held(report: Report) -> bool:
    return report.pinned and not any(fault.where == "policy" for fault in report.verdict.faults)


def _tracks(verdict: Verdict) -> Iterator[str]:
    sizes: Counter[str] = Counter()
    lengths: Counter[str] = Counter()
    for record in verdict.records:
        sizes[record.track] += record.size
        lengths[record.track] += record.duration_ms
    yield f"{'track':<12}{'segments':>10}{'bytes':>16}{'seconds':>10}"
    for track, count in sorted(verdict.segments.items()):
        yield f"{track:<12}{count:>10}{sizes[track]:>16,}{lengths[track] / 1000:>10.1f}"


def _stretches(lacking: Sequence[Missing]) -> Iterator[str]:
    for one in lacking[:SHOWN_FAULTS]:
        yield f"Not recorded: {one.track} from {one.from_ms / 1000:.1f} s to {one.to_ms / 1000:.1f} s"
    if len(lacking) > SHOWN_FAULTS:
        yield f"… and {len(lacking) - SHOWN_FAULTS} more stretches."
    if lacking:
        yield ""


def _grants(verdict: Verdict) -> Iterator[str]:
    for one in verdict.grants:
        if not one.recipient:
            yield f"ADDED RECIPIENT NOT GENUINE  {one.outcome:<16} {one.where}: {one.message}"
            continue
        when = datetime.fromtimestamp(one.granted_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        yield (
            f"Added later: {one.recipient} (key {one.recipient_id}) by {one.granter}, {when} UTC by that computer's"
            f" clock, for {one.segments} of {len(verdict.records)} segments."
        )
        if one.outcome != Outcome.OK:
            yield f"  Not all of it opens: {one.outcome}, {one.message}"
    if verdict.grants:
        yield ""


def _conclusion(report: Report) -> Iterator[str]:
    verdict = report.verdict
    if verdict.chain != INTACT:
        yield f"NOT INTACT: {len(verdict.faults)} fault(s), the first is {verdict.chain}. Do not rely on this export."
    elif verdict.complete:
        yield "INTACT and complete: since it was recorded nothing was changed, left out, added or cut off."
    else:
        yield "INTACT, but NOT complete: the session's end or a receipt is missing, so its last part may be, too."
    if not report.opened:
        yield "The segments were checked without being opened; give --key to open them, too."
    if not report.pinned:
        yield "The institution's key was taken from the export itself; give --pin to check whose it is."


def plain(text: str) -> str:
    """Return ``text`` without control characters: what evidence says must not steer the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def say_refusal(error: FairlockError, *, as_json: bool = False) -> None:
    """Say why nothing could be checked: on the error stream, or as JSON on the output."""
    if isinstance(error, IntegrityError):
        message, code = f"The export's manifest is not sound: {error}.", str(error.outcome)
    else:
        message, code = str(error), error.code
    if as_json:
        sys.stdout.write(json.dumps({"error": {"code": code, "message": message}}, indent=2) + "\n")
    else:
        sys.stderr.write(plain(message) + "\n")
