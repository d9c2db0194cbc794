"""Incidents: what happened, between when and when, how serious, and the facts. Never a verdict about a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.contract.times import Instant


class Severity(StrEnum):
    """How soon a human should look: ``INFO`` is context, ``NOTICE`` look when reviewing, ``ALERT`` look first."""

    INFO = "info"
    NOTICE = "notice"
    ALERT = "alert"


class Track(StrEnum):
    """The tracks of evidence; the number in ``TRACK_KEY_IDS`` is SFrame's key id."""

    CAMERA = "camera"
    SCREEN = "screen"
    MICROPHONE = "microphone"
    JOURNAL = "journal"
    PICTURES = "pictures"


TRACK_KEY_IDS: Mapping[Track, int] = {
    Track.CAMERA: 1,
    Track.SCREEN: 2,
    Track.MICROPHONE: 3,
    Track.JOURNAL: 4,
    Track.PICTURES: 5,
}


class IncidentKind(StrEnum):
    """Every kind of incident; ``INCIDENTS`` holds title and default severity of each."""

    PHONE = "phone"
    OBJECT = "object"
    OBJECT_IN_HAND = "object_in_hand"
    HEADPHONES = "headphones"
    SECOND_PERSON = "second_person"
    OTHER_PERSON = "other_person"
    ABSENT = "absent"
    NO_FACE = "no_face"
    LOOKING_AWAY = "looking_away"
    SPEECH = "speech"
    LOUD_NOISE = "loud_noise"
    PROCESS_FOUND = "process_found"
    PROCESS_CLOSED = "process_closed"
    PROCESS_NOT_CLOSED = "process_not_closed"
    PROCESS_UNKNOWN = "process_unknown"
    FOCUS_LOST = "focus_lost"
    WINDOW_OVER_EXAM = "window_over_exam"
    KEY_BLOCKED = "key_blocked"
    KEYBOARD_TAKEN = "keyboard_taken"
    INPUT_INJECTED = "input_injected"
    CLIPBOARD = "clipboard"
    DISPLAY_CHANGED = "display_changed"
    DEVICE_CHANGED = "device_changed"
    VIRTUAL_MACHINE = "virtual_machine"
    REMOTE_SESSION = "remote_session"
    DEBUGGER = "debugger"
    VIRTUAL_DEVICE = "virtual_device"
    SUSPENDED = "suspended"
    NAVIGATION_BLOCKED = "navigation_blocked"
    PERMISSION_DENIED = "permission_denied"
    DOWNLOAD_BLOCKED = "download_blocked"
    CERTIFICATE_REFUSED = "certificate_refused"
    PAGE_CRASHED = "page_crashed"
    CAPABILITY_MISSING = "capability_missing"
    ENVIRONMENT = "environment"
    SOURCE_LOST = "source_lost"
    SOURCE_BACK = "source_back"
    SOURCE_BLACK = "source_black"
    SOURCE_SILENT = "source_silent"
    QUALITY_LOWERED = "quality_lowered"
    COMPONENT_RESTARTED = "component_restarted"
    DETECTION_DEGRADED = "detection_degraded"
    SPOOL_FULL = "spool_full"
    CLOCK_JUMP = "clock_jump"
    FROZEN = "frozen"
    THAWED = "thawed"
    SERVER_UNREACHABLE = "server_unreachable"
    SERVER_BACK = "server_back"
    SECOND_PROGRAM = "second_program"
    CONFLICTING_SEGMENT = "conflicting_segment"
    SEGMENT_LOST = "segment_lost"
    QUOTA_REACHED = "quota_reached"
    UNLOCK_FAILED = "unlock_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentType:
    """What the tables and the console say about a kind."""

    title: str
    severity: Severity


def _row(title: str, severity: Severity) -> IncidentType:
    return IncidentType(title=title, severity=severity)


INCIDENTS: Mapping[IncidentKind, IncidentType] = {
    IncidentKind.PHONE: _row("Phone in view", Severity.ALERT),
    IncidentKind.OBJECT: _row("Object in view", Severity.NOTICE),
    IncidentKind.OBJECT_IN_HAND: _row("Object in hand", Severity.NOTICE),
    IncidentKind.HEADPHONES: _row("Headphones in view", Severity.NOTICE),
    IncidentKind.SECOND_PERSON: _row("Second person in view", Severity.ALERT),
    IncidentKind.OTHER_PERSON: _row("Face unlike the one at the start", Severity.NOTICE),
    IncidentKind.ABSENT: _row("Nobody in view", Severity.NOTICE),
    IncidentKind.NO_FACE: _row("Somebody in view, but no face", Severity.INFO),
    IncidentKind.LOOKING_AWAY: _row("Looking away", Severity.INFO),
    IncidentKind.SPEECH: _row("Speech heard", Severity.NOTICE),
    IncidentKind.LOUD_NOISE: _row("Loud noise heard", Severity.INFO),
    IncidentKind.PROCESS_FOUND: _row("Program not allowed is running", Severity.ALERT),
    IncidentKind.PROCESS_CLOSED: _row("Program closed", Severity.INFO),
    IncidentKind.PROCESS_NOT_CLOSED: _row("Program could not be closed", Severity.ALERT),
    IncidentKind.PROCESS_UNKNOWN: _row("Program that no list names", Severity.INFO),
    IncidentKind.FOCUS_LOST: _row("Exam window lost the focus", Severity.NOTICE),
    IncidentKind.WINDOW_OVER_EXAM: _row("Window of another program over the exam", Severity.ALERT),
    IncidentKind.KEY_BLOCKED: _row("Key combination blocked", Severity.INFO),
    IncidentKind.KEYBOARD_TAKEN: _row("Another program took the keyboard", Severity.NOTICE),
    IncidentKind.INPUT_INJECTED: _row("Input made by a program", Severity.NOTICE),
    IncidentKind.CLIPBOARD: _row("Clipboard changed", Severity.INFO),
    IncidentKind.DISPLAY_CHANGED: _row("Displays changed or unusual", Severity.NOTICE),
    IncidentKind.DEVICE_CHANGED: _row("Storage or input devices changed", Severity.NOTICE),
    IncidentKind.VIRTUAL_MACHINE: _row("Signs of a virtual machine", Severity.NOTICE),
    IncidentKind.REMOTE_SESSION: _row("Signs of remote control", Severity.ALERT),
    IncidentKind.DEBUGGER: _row("Signs of a debugger", Severity.NOTICE),
    IncidentKind.VIRTUAL_DEVICE: _row("Signs of a virtual camera or microphone", Severity.NOTICE),
    IncidentKind.SUSPENDED: _row("Computer or Fairlock was suspended", Severity.NOTICE),
    IncidentKind.NAVIGATION_BLOCKED: _row("Address blocked", Severity.INFO),
    IncidentKind.PERMISSION_DENIED: _row("Page asked for a permission", Severity.INFO),
    IncidentKind.DOWNLOAD_BLOCKED: _row("Download blocked", Severity.INFO),
    IncidentKind.CERTIFICATE_REFUSED: _row("Certificate refused", Severity.NOTICE),
    IncidentKind.PAGE_CRASHED: _row("Exam page crashed and was loaded again", Severity.INFO),
    IncidentKind.CAPABILITY_MISSING: _row("A protection is not available here", Severity.NOTICE),
    IncidentKind.ENVIRONMENT: _row("Unusual environment", Severity.NOTICE),
    IncidentKind.SOURCE_LOST: _row("Device lost", Severity.NOTICE),
    IncidentKind.SOURCE_BACK: _row("Device back", Severity.INFO),
    IncidentKind.SOURCE_BLACK: _row("Camera or screen shows nothing, or stands still", Severity.NOTICE),
    IncidentKind.SOURCE_SILENT: _row("Microphone is silent", Severity.INFO),
    IncidentKind.QUALITY_LOWERED: _row("Recording quality changed", Severity.INFO),
    IncidentKind.COMPONENT_RESTARTED: _row("A part of Fairlock was restarted", Severity.INFO),
    IncidentKind.DETECTION_DEGRADED: _row("Detection runs reduced", Severity.INFO),
    IncidentKind.SPOOL_FULL: _row("Storage for the recording is full", Severity.ALERT),
    IncidentKind.CLOCK_JUMP: _row("The clock was changed", Severity.NOTICE),
    IncidentKind.FROZEN: _row("Exam frozen", Severity.NOTICE),
    IncidentKind.THAWED: _row("Exam released", Severity.INFO),
    IncidentKind.SERVER_UNREACHABLE: _row("Server not reachable", Severity.INFO),
    IncidentKind.SERVER_BACK: _row("Server reachable again", Severity.INFO),
    IncidentKind.SECOND_PROGRAM: _row("A second program tried to join", Severity.ALERT),
    IncidentKind.CONFLICTING_SEGMENT: _row("Evidence was sent twice with different content", Severity.ALERT),
    IncidentKind.SEGMENT_LOST: _row("The server lost a stored segment", Severity.ALERT),
    IncidentKind.QUOTA_REACHED: _row("The server took no more evidence: its quota was used up", Severity.ALERT),
    IncidentKind.UNLOCK_FAILED: _row("A change could not be undone", Severity.ALERT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceWindow:
    """What to look at: milliseconds on the session's timeline, pre- and post-roll included."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident. ``source`` names the part that saw it; ``facts`` is a flat map of short texts.

    ``evidence`` is filled in by the recorder, which alone knows the session's timeline. ``best`` is when it was seen
    best, where there is a score: the recorder keeps the picture of that moment. ``over`` says that it lasts no longer.
    """

    id: str
    kind: IncidentKind
    start: Instant
    end: Instant
    severity: Severity
    source: str
    facts: Mapping[str, str] = field(default_factory=dict)
    evidence: EvidenceWindow | None = None
    best: Instant | None = None
    over: bool = False
