"""What the console's tests need: the built console, a server, and a recorded session with incidents on it.

The session is recorded through the server's own API by ``server_rig.Application``; only the media are ours.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.contract import canonical, schema
from app.contract.incidents import EvidenceWindow, Incident, IncidentKind, Severity, Track
from app.contract.journal import (
    JOURNAL_MIME,
    PICTURES_MIME,
    Entry,
    EntryType,
    PictureMeta,
    encode_entries,
    encode_picture,
    incident_body,
)
from app.contract.sealing import jws, keys
from app.contract.sealing.records import RECORD_TYPE
from app.contract.sealing.segment import SegmentSealer
from app.contract.session import SessionState
from app.contract.times import Instant
from capture.stills import jpeg
from tests.e2e import console_media as media
from tests.e2e import server_rig
from tests.e2e.server_rig import Application, Institution, ServerProcess

CONSOLE = Path(__file__).parents[2] / "server" / "console"
PASSPHRASE = "six plain words open this key"
SECONDS = 17.0


def build_console() -> None:
    """Build ``server/console/dist`` when it is missing or older than its sources."""
    built = CONSOLE / "dist" / "index.html"
    sources = [path for path in (CONSOLE / "src").rglob("*") if path.is_file()]
    sources += [CONSOLE / name for name in ("index.html", "package-lock.json", "vite.config.ts")]
    if built.exists() and built.stat().st_mtime >= max(path.stat().st_mtime for path in sources):
        return
    script = CONSOLE.parents[1] / "packaging" / "console_build.sh"
    done = subprocess.run(["sh", str(script)], capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, f"the console does not build: {done.stdout[-2000:]}{done.stderr[-2000:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A session on a server, and where its files lie."""

    server: ServerProcess
    session: str
    folder: Path

    def segment(self, track: Track, sequence: int) -> Path:
        """Return the stored file of a segment."""
        (path,) = self.folder.glob(f"0-{track}-{sequence}.*.fls")
        return path


def record(
    server: ServerProcess,
    data: Path,
    *,
    candidate: str = "Grace Hopper",
    exam: str = "algebra-1",
    seconds: float = SECONDS,
    camera: media.Draw = media.draw_camera,
    screen: media.Draw = media.draw_screen,
) -> Recorded:
    """Make an institution, an examiner's key and an exam, and record one session that ended."""
    origin = Instant(mono_ns=0, utc_ms=int(time.time() * 1000) - round(seconds * 1000))
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http:
        institution = Institution(http)
        institution.sign_in()
        protected = keys.protect(institution.examiner, PASSPHRASE)
        institution.call("POST", "/api/v1/keys", {"label": "Ada's key", "key": schema.to_json(protected)})
        institution.exam(exam)
        application = Application(http, institution.invite(exam, candidate))
        application.join()
        application.bind()
        application.beat(None)
        for cut in _cuts(origin, seconds, camera, screen):
            _upload(application, cut, origin)
        application.beat(None, SessionState.ENDED)
        answer = application.end(application.end_token())
        assert answer.completion is not None
    return Recorded(server=server, session=application.session, folder=data / "sessions" / application.session)


@contextmanager
def recorded_session(folder: Path) -> Iterator[Recorded]:
    """A server, whose console is built, with one recorded session."""
    build_console()
    data = folder / "data"
    server_rig.prepare(data)
    with server_rig.running(data) as server:
        yield record(server, data)


def _cuts(origin: Instant, seconds: float, camera: media.Draw, screen: media.Draw) -> list[media.Cut]:
    tracks = [
        *media.camera(origin, seconds, camera),
        *media.screen(origin, seconds, screen),
        *media.microphone(origin, seconds),
        *_journal(origin, seconds),
        *_pictures(camera),
    ]
    return sorted(tracks, key=lambda cut: cut.start_ms + cut.duration_ms)


def _upload(application: Application, cut: media.Cut, origin: Instant) -> None:
    sequence = application.sequences.get(cut.track, 0)
    sealer = SegmentSealer(
        session=application.session,
        epoch=0,
        track=cut.track,
        sequence=sequence,
        mime=cut.mime,
        start_ms=cut.start_ms,
        utc_ms=origin.utc_ms + cut.start_ms,
        previous=application.head,
        recipients=application.policy.recipients,
    )
    data = sealer.preamble + b"".join(sealer.seal(piece) for piece in cut.pieces) + sealer.seal(b"", final=True)
    closed_ms = origin.utc_ms + cut.start_ms + cut.duration_ms
    signed = sealer.record(previous=application.head, duration_ms=cut.duration_ms, closed_ms=closed_ms)
    record = jws.sign(signed, application.signing, typ=RECORD_TYPE)
    application.sequences[cut.track] = sequence + 1
    application.head = jws.digest(record)
    application.records.append(record)
    answer = application.put(record, data)
    assert answer.status_code == 201, answer.text


def _lockdown() -> dict[str, canonical.Json]:
    return {
        "tier": "A",
        "platform": "linux-kiosk",
        "holding": ["kiosk", "process_watch"],
        "missing": {"capture_shield": "X11 has no protection from recording."},
        "doubts": [],
    }


def _incident(
    number: int, kind: IncidentKind, severity: Severity, start_ms: int, end_ms: int, **facts: str
) -> dict[str, canonical.Json]:
    zero = Instant(mono_ns=0, utc_ms=0)
    incident = Incident(
        id=f"incident-{number}",
        kind=kind,
        start=zero,
        end=zero,
        severity=severity,
        source="objects" if severity is Severity.ALERT else "faces",
        facts=facts,
        evidence=EvidenceWindow(from_ms=max(0, start_ms - 3_000), to_ms=end_ms + 3_000),
    )
    return incident_body(incident, start_ms=start_ms, end_ms=end_ms)


def _journal(origin: Instant, seconds: float) -> list[media.Cut]:
    end = round(seconds * 1000)
    states: list[tuple[EntryType, int, dict[str, canonical.Json]]] = [
        (EntryType.SOURCE, 0, {"track": "camera", "origin": "sample", "name": "Sample film"}),
        (EntryType.NOTE, 0, {"fairlock": "0.1.0", "model_objects": "yolov3-tiny (demonstration accuracy)"}),
        (EntryType.LOCKDOWN, 450, _lockdown()),
        (EntryType.STATE, 500, {"state": "running", "why": "locked", "utc_ms": origin.utc_ms + 500}),
        (EntryType.INCIDENT, 4_000, _incident(1, IncidentKind.ABSENT, Severity.NOTICE, 4_000, 4_000)),
        (EntryType.INCIDENT, 6_500, _incident(1, IncidentKind.ABSENT, Severity.NOTICE, 4_000, 6_500)),
        (
            EntryType.INCIDENT,
            9_000,
            _incident(2, IncidentKind.PHONE, Severity.ALERT, 9_000, 12_000, score_permille="871", label="phone"),
        ),
        (
            EntryType.INCIDENT,
            end - 4_000,
            _incident(3, IncidentKind.KEY_BLOCKED, Severity.INFO, end - 4_000, end - 4_000, keys="Alt+Tab"),
        ),
        (
            EntryType.GAP,
            end - 3_000,
            {"track": "screen", "from_ms": end - 3_000, "to_ms": end - 2_800, "reason": "busy"},
        ),
        (EntryType.STATE, end - 200, {"state": "unlocking", "why": "submit", "utc_ms": origin.utc_ms + end - 200}),
    ]
    entries = [Entry(type=kind, at_ms=at, utc_ms=origin.utc_ms + at, body=body) for kind, at, body in states]
    half = len(entries) // 2
    return [_plain(Track.JOURNAL, JOURNAL_MIME, part) for part in (entries[:half], entries[half:])]


def _plain(track: Track, mime: str, entries: Sequence[Entry]) -> media.Cut:
    start, end = entries[0].at_ms, entries[-1].at_ms
    return media.Cut(track=track, mime=mime, start_ms=start, duration_ms=end - start, pieces=(encode_entries(entries),))


def _pictures(camera: media.Draw) -> list[media.Cut]:
    meta = PictureMeta(incident="incident-2", at_ms=9_000, mime="image/jpeg")
    piece = encode_picture(meta, jpeg(camera(9.0)))
    return [media.Cut(track=Track.PICTURES, mime=PICTURES_MIME, start_ms=9_000, duration_ms=0, pieces=(piece,))]
