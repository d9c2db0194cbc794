"""The policy: what a session must hold. Declared once as a table; the parser, the docs and the form read it.

A policy travels as a compact JWS, signed with the institution's ECDSA P-256 key (ES256, RFC 7518). Whoever
opens an exam link pins that key: the link carries its thumbprint, so no server can slip in another policy.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.contract.schema import setting

POLICY_VERSION = 1


class Capability(StrEnum):
    """What lockdown can hold; one Protocol each in ``lockdown.capabilities``."""

    KIOSK = "kiosk"
    INPUT_GUARD = "input_guard"
    CLIPBOARD_GUARD = "clipboard_guard"
    PROCESS_WATCH = "process_watch"
    WINDOW_WATCH = "window_watch"
    DISPLAY_WATCH = "display_watch"
    REMOTE_WATCH = "remote_watch"
    DEVICE_WATCH = "device_watch"
    CAPTURE_SHIELD = "capture_shield"
    SLEEP_GUARD = "sleep_guard"


class Treatment(StrEnum):
    """What follows when something is there: nothing, an incident, an incident and a word to the candidate, or no exam.

    ``REFUSE`` keeps the exam from starting; what appears later, during the exam, is treated as ``WARN``: nobody loses
    an exam to a suspicion.
    """

    IGNORE = "ignore"
    RECORD = "record"
    WARN = "warn"
    REFUSE = "refuse"


class Codec(StrEnum):
    """Video codecs for recording."""

    VP9 = "vp9"
    H264 = "h264"
    AV1 = "av1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The institution's server and the keys by which the application knows it."""

    url: str = setting(doc="Base address of the server, without a trailing slash.", minimum=8, maximum=500)
    token_key: bytes = setting(doc="RSA public key (DER SPKI, at least 3072 bit) for the tokens.", maximum=1200)
    receipt_key: bytes = setting(doc="Ed25519 public key (32 bytes) of receipts and bindings.", minimum=32, maximum=32)
    pins: tuple[bytes, ...] = setting(
        (), doc="SHA-256 of the public keys that the server's certificate may have; none: any valid one.", maximum=10
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """The one tab."""

    start_url: str = setting(doc="Address of the exam.", minimum=8, maximum=2000)
    allow: tuple[str, ...] = setting(
        doc="Addresses the tab may reach: scheme://host[:port][/path-prefix], with * as the first label of a host.",
        minimum=1,
        maximum=200,
    )
    submit_url: str = setting(doc="Reaching an address that starts with this ends the exam.", minimum=8, maximum=2000)
    quit_code: bytes | None = setting(
        None,
        doc="Salt and PBKDF2 digest of the code that ends the exam (app.contract.codes); choose eight digits or more.",
        minimum=48,
        maximum=48,
    )
    record_addresses: bool = setting(False, doc="Write visited addresses to the journal.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockdown:
    """What the machine must hold during the exam."""

    require: tuple[Capability, ...] = setting(
        (Capability.KIOSK, Capability.PROCESS_WATCH),
        doc="The exam does not start where one of these is not available; of the others the lack is an incident.",
        maximum=20,
    )
    require_whole: bool = setting(
        False, doc="One of these that holds only in part counts as not available; else the rest is an incident."
    )
    prohibit: tuple[str, ...] = setting(
        (),
        doc="Programs prohibited beside the built-in list: executable names, or original:NAME, signer:NAME, path:GLOB, "
        "sha256:HEX.",
        maximum=500,
    )
    permit: tuple[str, ...] = setting(
        (), doc="Programs permitted although the built-in list prohibits them, named in the same ways.", maximum=500
    )
    close_grace_ms: int = setting(
        5_000, doc="Time between asking a program to end and killing it.", minimum=0, maximum=120_000
    )
    ask_before_closing: bool = setting(True, doc="Show the list and ask to save work before closing programs.")
    unknown_programs: Treatment = setting(
        Treatment.IGNORE, doc="Programs with a window that no list names (prohibited, permitted or system)."
    )
    displays: int = setting(1, doc="Displays that are allowed.", minimum=1, maximum=16)
    extra_displays: Treatment = setting(Treatment.WARN, doc="More displays than that, and mirrored or virtual ones.")
    storage_devices: Treatment = setting(Treatment.RECORD, doc="Storage plugged in; it is named and never ejected.")
    input_devices: Treatment = setting(Treatment.RECORD, doc="Keyboards and mice that come or go during the exam.")
    injected_input: Treatment = setting(Treatment.RECORD, doc="Keys and clicks that a program made, not a person.")
    virtual_machine: Treatment = setting(Treatment.RECORD, doc="The exam runs inside a virtual machine.")
    remote_session: Treatment = setting(Treatment.WARN, doc="The screen is seen or controlled from elsewhere.")
    debugger: Treatment = setting(Treatment.RECORD, doc="Another program inspects or alters Fairlock.")
    virtual_devices: Treatment = setting(Treatment.RECORD, doc="A camera or microphone made by a program.")
    evidence_permille: int = setting(
        600,
        doc="Least score of the signs of these four; 1,000 is proof.",
        minimum=100,
        maximum=1_000,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What is recorded, and how."""

    camera: bool = setting(True, doc="Record the camera.")
    microphone: bool = setting(True, doc="Record the microphone.")
    screen: bool = setting(True, doc="Record the screen.")
    camera_width: int = setting(640, doc="Picture width in pixels.", minimum=160, maximum=1920)
    camera_height: int = setting(480, doc="Picture height in pixels.", minimum=120, maximum=1080)
    camera_fps: int = setting(15, doc="Camera frames per second.", minimum=1, maximum=30)
    camera_kbps: int = setting(300, doc="Target for the camera in kbit/s (VP9).", minimum=50, maximum=8_000)
    screen_fps: int = setting(5, doc="Screen frames per second.", minimum=1, maximum=15)
    screen_quality: int = setting(60, doc="Quality of the screen's picture; 100 is the best.", minimum=1, maximum=100)
    screen_variable_rate: bool = setting(
        False, doc="Record the screen only when it changes: smaller, but some players skip over what did not change."
    )
    microphone_kbps: int = setting(24, doc="Target for the sound in kbit/s.", minimum=8, maximum=128)
    codec: Codec = setting(
        Codec.VP9,
        doc="Video codec. The encoder of av1 was seen to stop for ever, once in 40,000 pictures on a busy machine; "
        "recording then starts anew after half a minute, with a gap.",
    )
    segment_ms: int = setting(5_000, doc="Length of a segment.", minimum=2_000, maximum=10_000)
    live_view: bool = setting(
        False,
        doc="Let recipients watch while it is recorded; where the network carries that, and no evidence waits, it is "
        "then sent second by second instead of by segments.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What is looked for, and for how long it must last. Scores are in thousandths."""

    objects: bool = setting(
        True, doc="Look for persons, laptops, screens, drinks, food and objects in a hand, phones and books among them."
    )
    phones: bool = setting(
        False,
        doc="Call a thing a phone where its model allows the word; else it is an object in hand that may be one. "
        "Advice, for it misses its goal.",
    )
    books: bool = setting(
        False,
        doc="Call a thing a book, also one that lies open; else one in a hand is an object in hand that may be one. "
        "Advice, for its accuracy is not shown.",
    )
    second_look: bool = setting(True, doc="Look again, closer, at hands and faces: small things are found there.")
    headphones: bool = setting(False, doc="Look for headphones; advice, for its accuracy is not shown.")
    faces: bool = setting(True, doc="Look for faces.")
    looking_away: bool = setting(True, doc="Notice a head turned away from the screen.")
    gaze: bool = setting(False, doc="Notice eyes turned away too, after a short calibration; advice.")
    continuity: bool = setting(
        False,
        doc="Compare the face with the first 20 frontal looks of this session, in memory only; nothing of it is kept; "
        "advice.",
    )
    speech: bool = setting(True, doc="Listen for speech.")
    loud_noise: bool = setting(False, doc="Record loud noises that are not speech; needs `speech`; advice.")
    hints: bool = setting(
        True, doc="Tell the candidate when the picture is dark, backlit, blurred or cuts the face off; no incident."
    )
    rate_permille: int = setting(
        4_000, doc="Most pictures analysed per 1,000 seconds by each detector.", minimum=200, maximum=5_000
    )
    person_permille: int = setting(400, doc="Least score of a person.", minimum=50, maximum=950)
    object_permille: int = setting(
        250,
        doc="Least score of a book, a laptop or an object in hand; a phone gets its name, if at all, only from its "
        "model's own score on.",
        minimum=50,
        maximum=950,
    )
    absent_ms: int = setting(
        5_000,
        doc="Nobody in view for this long is an incident; judged only with objects: faces miss a lowered head.",
        minimum=1_000,
        maximum=300_000,
    )
    person_ms: int = setting(
        1_500, doc="A second person in view for this long is an incident.", minimum=500, maximum=60_000
    )
    object_ms: int = setting(1_500, doc="An object in view for this long is an incident.", minimum=500, maximum=60_000)
    headphones_ms: int = setting(
        5_000, doc="Headphones in view for this long are an incident.", minimum=500, maximum=60_000
    )
    away_degrees: int = setting(
        35,
        doc="A head turned from straight ahead by more than this looks away; eyes by four sevenths of it.",
        minimum=10,
        maximum=90,
    )
    away_ms: int = setting(3_000, doc="Looking away for this long is an incident.", minimum=500, maximum=300_000)
    speech_ms: int = setting(1_500, doc="Speech of this length is an incident.", minimum=300, maximum=60_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """How the candidate is identified before the exam."""

    required: bool = setting(False, doc="Take a picture of the candidate before the exam.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """How evidence travels."""

    heartbeat_ms: int = setting(3_000, doc="Time between two confirmations.", minimum=1_000, maximum=5_000)
    pause_when_metered: bool = setting(
        False,
        doc="During the exam, send no recordings over a connection that is paid by volume, only confirmations; "
        "above half of `quota_mib` they are sent after all, until a third is left.",
    )
    quota_mib: int = setting(4_096, doc="Most disk space for evidence not yet received.", minimum=64, maximum=1_000_000)
    deadline_s: int = setting(
        600, doc="How long to keep uploading after the exam before it is deferred.", minimum=10, maximum=86_400
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long the institution keeps the evidence."""

    days: int = setting(30, doc="Days until the evidence is deleted.", minimum=1, maximum=3_650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody who may open the evidence. ``id`` is the key's thumbprint (``sealing.keys.key_id``)."""

    id: str = setting(doc="Thumbprint of the key.", minimum=43, maximum=43)
    name: str = setting(doc="Whose key it is, as the notice shows it.", minimum=1, maximum=200)
    key: bytes = setting(doc="P-256 public key, uncompressed point (65 bytes).", minimum=65, maximum=65)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything the institution decided about one exam."""

    version: int = setting(doc="Version of this table.", minimum=POLICY_VERSION, maximum=POLICY_VERSION)
    exam: str = setting(doc="Identifier of the exam.", minimum=1, maximum=64)
    title: str = setting(doc="Title of the exam, as the candidate sees it.", minimum=1, maximum=200)
    institution: str = setting(doc="Name of the institution.", minimum=1, maximum=200)
    issued_ms: int = setting(doc="When it was signed (UTC, milliseconds).", minimum=0)
    expires_ms: int = setting(
        doc="When it ceases to hold and the exam closes for everybody (UTC, milliseconds).", minimum=0
    )
    demonstration: bool = setting(
        False,
        doc="Not an exam: sample footage may stand in for missing devices, and Fairlock may press its own buttons.",
    )
    duration_s: int | None = setting(None, doc="Time allowed; none means no limit.", minimum=30, maximum=86_400)
    server: Server = setting(doc="The server.")
    browser: Browser = setting(doc="The one tab.")
    lockdown: Lockdown = setting(Lockdown, doc="What the machine must hold.")
    capture: Capture = setting(Capture, doc="What is recorded.")
    detection: Detection = setting(Detection, doc="What is looked for.")
    identity: Identity = setting(Identity, doc="How the candidate is identified.")
    upload: Upload = setting(Upload, doc="How evidence travels.")
    retention: Retention = setting(Retention, doc="How long it is kept.")
    recipients: tuple[Recipient, ...] = setting(doc="Who may open the evidence.", minimum=1, maximum=16)
