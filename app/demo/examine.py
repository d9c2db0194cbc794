"""What an examiner would do afterwards: fetch the evidence, verify it, open it, and see what is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from app.contract.canonical import Json
from app.contract.incidents import Track
from app.contract.journal import Entry, EntryType, decode_entries, decode_picture
from app.contract.sealing.agreements import AgreementReader
from app.contract.sealing.archive import open_export
from app.contract.sealing.evidence import Verdict, segment_name
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment
from app.contract.sealing.verify import verify_session
from capture.review import decoded_seconds

NOT_VERIFIED = Verdict(chain="not verified", faults=(), records=())
MEDIA = (Track.CAMERA, Track.SCREEN, Track.MICROPHONE)


@dataclass(slots=True, kw_only=True)
class Findings:
    """The verdict, and what the opened evidence holds. ``incidents`` holds the last word on each id."""

    verdict: Verdict = NOT_VERIFIED
    recorded_seconds: dict[str, float] = field(default_factory=dict)
    decoded_seconds: dict[str, float] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    agreed: tuple[str, ...] = ()
    pictures: int = 0
    unopened: list[str] = field(default_factory=list)

    @property
    def incidents(self) -> list[Mapping[str, Json]]:
        """Incidents by time."""
        last = {str(e.body.get("id")): e.body for e in self.entries if e.type is EntryType.INCIDENT}
        return sorted(last.values(), key=lambda body: (int(str(body.get("start_ms", 0))), str(body.get("id"))))

    def bodies(self, kind: EntryType) -> list[Mapping[str, Json]]:
        """Return the bodies of all entries of one type."""
        return [entry.body for entry in self.entries if entry.type is kind]


def examine(export: Path, *, pin: str, private_key: ec.EllipticCurvePrivateKey) -> Findings:
    """Verify an export against the pinned institution key and open every segment with the examiner's key."""
    findings = Findings()

    def look(record: Record, opened: OpenedSegment | None) -> None:
        agreements.look(record, opened)
        if opened is None:
            findings.unopened.append(segment_name(record))
        else:
            _take(findings, record.track, record.duration_ms / 1000, opened.fragments)

    with open_export(export) as archive:
        manifest = archive.manifest()
        agreements = AgreementReader(manifest)
        findings.verdict = verify_session(manifest, archive, pin=pin, private_key=private_key, on_segment=look)
    findings.agreed = agreements.granted()
    return findings


def _take(findings: Findings, track: Track, seconds: float, fragments: tuple[bytes, ...]) -> None:
    if track in MEDIA:
        media = decoded_seconds(fragments)
        findings.decoded_seconds[track.value] = findings.decoded_seconds.get(track.value, 0.0) + media
        findings.recorded_seconds[track.value] = findings.recorded_seconds.get(track.value, 0.0) + seconds
    elif track is Track.JOURNAL:
        for fragment in fragments:
            findings.entries.extend(decode_entries(fragment))
    else:
        findings.pictures += sum(1 for fragment in fragments if fragment and decode_picture(fragment)[1])
