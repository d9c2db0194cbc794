"""What the three processes say to each other. Each message is a dataclass; ``app.channel`` carries them.

::

    shell ──> recorder   OpenLink, RunChecks, PickDevice, StartRecording, CookieSeen, Visited, PageSound, Report,
                         StateIs, BreaksAre, CodesTried, LockIs, Finish, MayLeave
    shell <── recorder   Joined, Refused, Check, ChecksDone, DevicesFound, Preview, RecordingStarted, Status,
                         HintGiven, ActionArrived, Leaving, FlushProgress, Flushed
    shell ──> guard      Examine, CloseProcesses, Engage, Release
    shell <── guard      Examined, ProcessesFound, ProcessesClosed, Engaged, Released, Seen
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.contract.actions import Action
from app.contract.agreement import Allowance
from app.contract.errors import FairlockError, UserFacing
from app.contract.hints import Hint
from app.contract.incidents import IncidentKind, Severity, Track
from app.contract.policy import Treatment
from app.contract.session import SessionState
from app.contract.times import Instant

EXAM_LOADED = "exam page loaded"
"""``StateIs.why`` when the exam first stands on the screen; the demonstration's report times it."""

# --- shell to recorder -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLink:
    """Join: fetch and check the policy, exchange the invite, bind. ``program_token`` is this launch's."""

    link: str
    program_token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChecks:
    """Open the sources and report a ``Check`` for each, then ``ChecksDone``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickDevice:
    """Record ``track`` from the device called ``name`` (of ``DevicesFound``); its check runs again."""

    track: Track
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRecording:
    """Record, detect, seal, spool, upload from now on. ``notice`` is what the candidate acknowledged before."""

    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieSeen:
    """The newest cookie token in the browser's store."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """The exam page showed ``address`` (no query, no fragment); sent if the policy's ``record_addresses`` asks for it.

    ``left_out`` counts the addresses before it that came too fast to be written down.
    """

    address: str
    at: Instant
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSound:
    """The exam page began to play sound at ``at``, or ceased to; what the microphone hears then may be the page."""

    audible: bool
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An incident seen by the shell or the guard. ``end`` equals ``start`` for a moment."""

    kind: IncidentKind
    start: Instant
    end: Instant
    source: str
    facts: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateIs:
    """The session's state changed; heartbeats and the journal carry it."""

    state: SessionState
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreaksAre:
    """So much of the agreed breaks is used up; with ``lasting`` one begins now, or goes on. Said before it does."""

    spent_ms: int
    lasting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesTried:
    """So many quit codes were tried in this session; said before the newest is looked at, and never with a code."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockIs:
    """How well this computer is locked, from now on; for the examiner. Guard and window together, fields as there."""

    tier: str
    platform: str
    holding: tuple[str, ...]
    missing: Mapping[str, str]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Stop recording, seal, upload, and end the session if ``reason``, the event's name, is in ``ENDS_SESSION``."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MayLeave:
    """The answer to ``Leaving``: all that this process is to write was said, the rest is kept for the next one."""


ENDS_SESSION = frozenset({"submit", "time_up", "terminate", "quit_code"})
"""How an exam ends for good. After anything else its link goes on with the same session."""


# --- recorder to shell -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Joined and bound. ``policy`` is the verified policy as canonical JSON, as it holds for this candidate.

    ``elapsed_ms`` is how long ago the session first began to record, less the breaks since; 0 for a fresh one.
    ``agreement`` is the verified ``contract.agreement.Agreement`` as canonical JSON, empty where there is none.
    ``breaks_ms`` of the breaks and so many ``tries`` of a quit code were used up before a restart.
    """

    session: str
    candidate: str
    policy: str
    entry_url: str
    elapsed_ms: int = 0
    agreement: str = ""
    breaks_ms: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The session can't go on. ``advised`` says that ``message`` tells the candidate what to do; the words for the
    other codes are in ``app.shell.refusals``.
    """

    code: str
    message: str
    advised: bool = False

    @classmethod
    def of(cls, error: FairlockError) -> "Refused":
        """Return ``error`` as a message."""
        advised = isinstance(error, UserFacing) and bool(error.advice.strip())
        return cls(code=error.code, message=str(error), advised=advised)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check. ``message`` says what was found and, when not ``ok``, what to do.

    ``blocking`` says whether the exam can't start without it.
    """

    name: str
    ok: bool
    blocking: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksDone:
    """All checks were reported. ``sources`` maps camera, microphone and screen to "device", "sample" or "off"."""

    sources: Mapping[str, str]
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesOf:
    """What ``track`` can be recorded from, and what it will be. ``is_sample``: footage that stands in for a device."""

    track: Track
    names: tuple[str, ...]
    picked: str
    is_sample: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesFound:
    """The devices to pick from, of each track that is recorded from one; after the checks, and when one was picked."""

    devices: tuple[DevicesOf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What camera and microphone yield now, a few times a second, before anything is recorded.

    ``picture`` is a small JPEG, empty if there is no new one; ``level_dbfs`` how loud it was since the last one.
    """

    picture: bytes = b""
    level_dbfs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStarted:
    """The first fragment of every wanted track is on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Once a second. ``pending_bytes`` are sealed and not yet received by the server.

    ``held_back``: they wait, because the network is paid by volume: for the end of the exam, or until too much waits.
    """

    online: bool
    frozen: bool
    pending_bytes: int
    segments: int
    incidents: int
    held_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HintGiven:
    """How the camera's picture could be better, for the candidate; at most one a minute."""

    hint: Hint


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionArrived:
    """An examiner's action, its signature already checked."""

    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Only a new process can go on recording. This one seals what it has once ``MayLeave`` came, and ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushProgress:
    """How far the upload is, and for how many seconds it may still last, if that can be said."""

    sent_bytes: int
    total_bytes: int
    left_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flushed:
    """Everything is received by the server (``complete``), or is kept on disk for later."""

    complete: bool
    message: str


# --- shell to guard ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Examine:
    """Look at the machine before the exam; answered by ``Examined``."""

    policy: str
    allowances: tuple[Allowance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseProcesses:
    """Look for prohibited programs; with ``close`` also end them. Answered by ``ProcessesFound`` or ``…Closed``."""

    policy: str
    close: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Engage:
    """Take every measure of the policy that lives in the guard, and start its watches.

    ``allowances`` is what the candidate was granted; what it covers is still reported, and the recorder says so.
    """

    policy: str
    allowances: tuple[Allowance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Undo everything and stop the watches."""


# --- guard to shell ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Something about the machine that the policy treats otherwise than "ignore".

    ``score`` is in thousandths, ``signals`` are the single observations as short sentences, ``says`` is one sentence
    for the candidate with what to do.
    """

    kind: IncidentKind
    treatment: Treatment
    score: int
    signals: tuple[str, ...]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What the machine is like before the exam; ``tier`` as in ``lockdown.capabilities.Platform``.

    ``limits`` maps each capability that the policy requires whole, and that holds only in part here, to what that is.
    """

    tier: str
    concerns: tuple[Concern, ...]
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessInfo:
    """A program that the rules matched; ``copy_of`` names the installed program that it is a renamed copy of."""

    pid: int
    name: str
    path: str
    rule: str
    copy_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessesFound:
    """What is running and prohibited."""

    processes: tuple[ProcessInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessesClosed:
    """What was ended, and what would not end."""

    closed: tuple[ProcessInfo, ...]
    left: tuple[ProcessInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engaged:
    """What holds now. ``missing`` maps a capability to the reason why it is not available.

    ``platform`` and ``tier`` as in ``lockdown.capabilities.Platform``; ``doubts`` say why what claims to be a kiosk
    session is not believed to be one.
    """

    holding: tuple[str, ...]
    missing: Mapping[str, str]
    tier: str = ""
    platform: str = ""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What was undone, as sentences, and what could not be."""

    undone: tuple[str, ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A watch saw something."""

    report: Report
