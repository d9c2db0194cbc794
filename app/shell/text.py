"""Every word that the candidate reads. The server and the other processes send codes and facts; the words are ours.

Pure: strings in, strings out. Text from outside (titles, names, messages) is only ever shown as plain text.
"""

from collections.abc import Mapping, Sequence

from app.contract import tiers
from app.contract.agreement import Agreement, described, not_looked_for
from app.contract.incidents import IncidentKind, Track
from app.contract.policy import Policy
from app.contract.wire import CONFIRMATION_LIMIT_MS

PRODUCT = "Fairlock"
STEPS = ("Join", "Notice", "Checks", "Exam", "Hand in")

START_TITLE = "Exam seat {seat}"
START_TITLE_ALONE = "Exam seat"
START_LINE = "Enter what you were given for your exam. The invigilator helps you if it is not taken."
START_FIELD = "Code or exam link"
START_GO = "Continue"
START_OWN = "Open this seat's exam"
START_INVIGILATOR = "Invigilator"
PIN_TITLE = "End the kiosk"
PIN_LINE = "Enter the invigilator's PIN. This computer then leaves the exam session until it is started again."
PIN_GO = "End the kiosk"
PIN_WRONG = "This is not the PIN. Each wrong one makes the wait longer."

JOINING_TITLE = "Joining the exam"
JOINING_LINE = "Fetching the rules of your exam and checking their signature."
LOCKING_TITLE = "Getting the exam ready"
LOCKING_LINE = "Starting the recording and locking this computer. This takes a few seconds."
UNLOCKING_TITLE = "Unlocking this computer"
UNLOCKING_LINE = "Undoing every change that was made for the exam."

HIGH_CONTRAST = "High contrast"
TEXT_SIZE = "Text at {percent} percent"
AGREED_HEADING = "Agreed with you"

NOTICE_TITLE = "Before you start"
NOTICE_YES = "I have read this, continue"
NOTICE_NO = "Decline and leave"

CHECKS_TITLE = "Checking this computer"
CHECKS_LINE = (
    "Nothing is recorded yet. Save your work; what you copied is forgotten when the exam starts, so paste it first "
    "where you need it."
)
CHECKS_RUNNING = "Checking …"
CHECKS_AGAIN = "Check again"
CHECKS_GO = "Start the exam"
CHECKS_CLOSE = "Close them and start"
CHECKS_LEAVE = "Leave"
CHECK_PASSED = "passed"
CHECK_BLOCKS = "must be put right"
CHECK_WARNS = "please note"
CHECKS_GOOD = "All is ready."
CHECKS_BAD = "The exam can't start yet. Put right what is marked, then check again."
PREVIEW_LINE = "What your camera and microphone yield. Only you see this, and nothing of it is kept."
PREVIEW_PICTURE = "Picture of the camera"
PREVIEW_NO_PICTURE = "No picture yet"
PREVIEW_LEVEL = "Loudness at the microphone"
PREVIEW_SPEAK = "Say a few words: your voice should move the bar."
PREVIEW_HEARD = "You can be heard."
PREVIEW_DEVICES = {Track.CAMERA: "Camera", Track.MICROPHONE: "Microphone"}
PREVIEW_SAMPLES = {
    Track.CAMERA: "Sample footage stands in for a camera: not a real person.",
    Track.MICROPHONE: "Sample sound stands in for a microphone.",
}
PROGRAMS_HEADING = "Programs to be closed"
PROGRAMS_LINE = (
    "These programs are not allowed during this exam. Save your work in them first. They are asked to end; after "
    "{seconds} s they are ended."
)
PROGRAMS_LEFT = (
    "These programs could not be ended. Close them yourself, then check again. If one does not close, restart this "
    "computer and open the exam link again."
)
PROGRAM_COPY = "{name} (a copy of {copy_of})"
DESKTOP_GOOD = "The exam can fill the screen and hold the keyboard."
DESKTOP_NONE = "There is no screen to show the exam on. Start Fairlock from a desktop session."
DESKTOP_LACKS = (
    "Not available on this desktop: {what}. This exam may start without it; that it is missing, and each time the exam "
    "window loses the keyboard, is written to the recording."
)
WHOLE_NAME = "Requirements"
SANDBOX_ROOT = (
    "Fairlock runs as the administrator (root), so the browser runs without its sandbox. "
    "Start it from your own account."
)
SANDBOX_GOOD = "The browser runs in its sandbox."
DISPLAYS_ONE = "One display."
DISPLAYS_MANY = "{count} displays; all but one will be dark during the exam."

RECORDING = "Recording"
RECORDING_WATCHED = "· may be watched"
RECORDING_NAME = "The exam is being recorded"
NOT_RECORDING = "Recording restarts"
SAMPLE_CAMERA = "SAMPLE CAMERA"
SAMPLE_MICROPHONE = "SAMPLE SOUND"
SAMPLE_CAMERA_LONG = "Demonstration footage, not a real person and not this computer's camera."
SAMPLE_MICROPHONE_LONG = "Demonstration sound, not this computer's microphone."
DEMONSTRATION = "DEMONSTRATION"
DEMONSTRATION_LONG = "The buttons press themselves. This is written to the recording."
ONLINE = "Connected"
OFFLINE = "Offline"
OFFLINE_LONG = "The recording goes on and is sent when the server is reached again."
HELD_BACK_LONG = (
    "This network is paid by volume: the recording stays here, sealed, and is sent after the exam, or earlier where "
    "too much of it waits."
)
WAITING = "{size} wait"
TIME_LEFT = "left"
TIME_ELAPSED = "elapsed"
RELOAD = "Load the page again"
LARGER = "Larger text"
SMALLER = "Smaller text"
TROUBLE = "The page can't be reached at the moment. Fairlock tries again every few seconds; the recording goes on."
MESSAGE_FROM = "Message from the examiner {name}"
MESSAGE_SEEN = "I have read it"
OK = "OK"
CANCEL = "Cancel"
PAGE_SAYS = "The exam page says"

QUIT_TITLE = "End the exam with the quit code"
QUIT_LINE = "Ask the person in charge of the exam for the code. Your answers are not handed in by this."
QUIT_GO = "End the exam"
QUIT_WRONG = "This is not the code. Each wrong code makes the wait longer."

BREAK_TAKE = "Take a break"
BREAK_END = "Go on with the exam"
UNCOVERED = "The exam goes on."

COVER_TITLES: Mapping[str, str] = {
    "break": "You are taking a break",
    "break_over": "Your break time is used up",
    "frozen": "The exam is frozen",
    "pause": "The exam is paused",
    "guarantee_lost": "The exam is paused",
}
COVER_LINES: Mapping[str, str] = {
    "break": (
        "The exam is covered and the time shown here stands still. The recording goes on; that you are away now is as "
        "agreed. Press the button when you want to go on."
    ),
    "break_over": "The time of the exam runs again. Press the button to go on with the exam.",
    "frozen": (
        f"The server has not heard from this computer for more than {CONFIRMATION_LIMIT_MS // 1000} seconds, so the "
        "exam page is closed off. It comes back by itself as soon as the connection is there again. Your answers up "
        "to now are kept, the recording goes on, and so does the time."
    ),
    "pause": (
        "An examiner has paused the exam. It comes back by itself when the examiner lets it go on. The recording goes "
        "on; the time shown here stands still."
    ),
    "guarantee_lost": (
        "A part of Fairlock that protects the exam is being started again. It comes back by itself in a few seconds. "
        "The recording goes on; the time shown here stands still."
    ),
}

FLUSH_TITLE = "Sending the recording"
FLUSH_LINE = "This computer is unlocked. Stay connected until all is sent."
FLUSH_WAITING = "Sealing the last pieces …"
FLUSH_PROGRESS = "{sent} of {total} received by the server"

END_CLOSE = "Close"
END_CLOSING = "Closes in {seconds} s"
END_UNDONE_HEADING = "What was changed and is undone"
END_FAILED_HEADING = "What could not be undone"
END_CLOSED_HEADING = "Programs that were closed"
END_NOTHING_CHANGED = "Nothing on this computer was changed."
END_UNDO_HINT = "Start Fairlock again, run “fairlock restore”, or sign out and in: each of these puts it right."
END_UNSURE = "Not all of Fairlock answered, so it is not certain that every setting is as before."
GIVEN_BACK: Mapping[str, str] = {
    "kiosk": "The exam no longer fills the screen.",
    "input_guard": "All keys and key combinations are yours again.",
    "clipboard_guard": "Copy and paste work again. What was in the clipboard could not be kept: it was never read.",
}
"""What ends with the window and the other processes; the rest says how it was undone when it was."""
END_TITLES: Mapping[str, str] = {
    "submit": "You have handed in",
    "time_up": "The time is up",
    "terminate": "The exam was ended",
    "quit_code": "The exam was ended with the quit code",
    "fatal": "The exam ended because of a fault",
    "lock_failed": "The exam could not start",
    "failed": "The exam could not start",
    "refused": "The exam could not start",
    "declined": "You declined",
    "cancel": "You left before the exam",
}
END_DECLINED = "Nothing was recorded. Tell your institution that you declined; it decides what happens next."
END_CANCELLED = "Nothing was recorded. The link may have been used up; ask your institution if it no longer opens."
END_COMPLETE = "The whole recording has reached the server. It is safe to close this window."
END_DEFERRED = (
    "Part of the recording is still on this computer, sealed. It is sent by itself when the next exam is opened here; "
    "to send it before that, run “fairlock upload”."
)
END_UNNOTED = (
    "Part of the recording is still on this computer, sealed, and may not be noted as handed in. "
    "To be sure that it is sent, run “fairlock upload --end”."
)
END_KEPT = "Part of the recording is still on this computer, sealed. It is sent when you open the exam link again."
END_NOT_STARTED = "The exam page was never opened."
TERMINATED_BY = "Ended by the examiner {name}."
IDENTITY_UNSUPPORTED = (
    "This exam asks for a picture of you before it starts, and this version of Fairlock can't take one. "
    "Tell your institution."
)
_AGAIN = "Open the exam link again; if that does not help, restart this computer, then tell your institution."
RECORDER_GONE = f"The recording could not be kept running. What was recorded is safe on this computer. {_AGAIN}"
ASKED_TO_END = "The system asked Fairlock to end. Open the exam link again to go on."
GUARD_GONE = "The protection of the exam could not be kept running."
GUARD_GONE_ENDS = f"{GUARD_GONE} {_AGAIN}"
LOCK_TIMEOUT = "The exam did not get ready in time. Open the link again; if it happens twice, restart the computer."
POLICY_UNREADABLE = "The exam's policy can't be read by this version of Fairlock. Install the newest version."

CONCERN_HEADING = "Fairlock noticed something about this computer"
CONCERN_NAMES: Mapping[str, str] = {
    "process_unknown": "Programs",
    "display_changed": "Displays",
    "device_changed": "Devices",
    "virtual_machine": "Computer",
    "remote_session": "Remote use",
    "debugger": "Debugger",
    "virtual_device": "Devices",
}
CONCERN_OTHER = "Computer"

MISSING_ADVICE = "Tell your institution, or use another computer."
CAPABILITY_NAMES: Mapping[str, str] = {
    "kiosk": "filling the screen",
    "input_guard": "holding the keyboard",
    "clipboard_guard": "guarding the clipboard",
    "process_watch": "watching programs",
    "window_watch": "watching windows",
    "display_watch": "watching displays",
    "remote_watch": "noticing remote control",
    "device_watch": "watching devices",
    "capture_shield": "hiding the exam from other recorders",
    "sleep_guard": "keeping the computer awake",
}


def program_name(name: str, copy_of: str) -> str:
    """Return what a program to be closed is called; a renamed copy is told as what it is a copy of."""
    return PROGRAM_COPY.format(name=name, copy_of=copy_of) if copy_of else name


def missing_capabilities(missing: Mapping[str, str], advice: Sequence[str] = ()) -> str:
    """Return why an exam that requires these capabilities can't start here, and what to do.

    ``advice`` is what each backend says to do, empty where it knows nothing better than the usual.
    """
    todo = " ".join(dict.fromkeys(some or MISSING_ADVICE for some in (advice or [""])))
    return f"This exam requires what is not available here: {with_reasons(missing)}. {todo}"


def partly_held(limits: Mapping[str, str]) -> str:
    """Return why an exam that requires these capabilities in every part can't start here, and what to do."""
    return f"This exam requires in every part what holds only in part here: {with_reasons(limits)}. {MISSING_ADVICE}"


def lost_capabilities(lost: Mapping[str, str]) -> str:
    """Return why an exam that requires these capabilities ended when they were gone, and what to do."""
    return f"This exam requires what no longer holds on this computer: {with_reasons(lost)}. {_AGAIN}"


def protection(tier: str, doubts: Sequence[str]) -> str:
    """Return what this desktop's tier means; it is shown to the examiner, too."""
    why = f" This is not taken for a seat of a testing centre: {' '.join(doubts)}" if doubts else ""
    return f"Tier {tier}. {tiers.meaning(tier)}{why}"


def with_reasons(missing: Mapping[str, str]) -> str:
    """Return "holding the keyboard (why not); guarding the clipboard (why not)"."""
    parts = [f"{CAPABILITY_NAMES.get(name, name)} ({reason.rstrip('.')})" for name, reason in sorted(missing.items())]
    return "; ".join(parts)


def recorded(policy: Policy) -> str:
    """Return what is recorded, in a sentence."""
    wanted = (
        (policy.capture.camera, "your camera"),
        (policy.capture.microphone, "your microphone"),
        (policy.capture.screen, "your screen"),
    )
    names = [name for is_on, name in wanted if is_on]
    what = join_words(names).capitalize() if names else "No picture and no sound"
    pages = " The addresses you visit are written down." if policy.browser.record_addresses else ""
    return f"{what}, from the moment the exam opens until you hand in. Also what happens to the exam window.{pages}"


def agreed(agreement: Agreement) -> str:
    """Return what was granted to this candidate, in a sentence or two."""
    granted = join_words(described(agreement)) or "nothing beyond the rules of the exam"
    return (
        f"{granted[:1].upper()}{granted[1:]}. It is written to the recording as agreed, without a reason, so that "
        "whoever looks at it does not wonder."
    )


def break_left(seconds: float) -> str:
    """Return how much of the breaks is left."""
    return f"{clock(seconds)} of your break time are left."


def battery(percent: int, *, plugged: bool) -> str:
    """Return the charge as it is spoken."""
    return f"Battery {percent} percent{', charging' if plugged else ''}"


def spoken_time(seconds: float, *, left: bool) -> str:
    """Return the time left or elapsed as it is spoken: "1 hour 5 minutes left"."""
    whole = max(0, int(seconds))
    parts = ((whole // 3600, "hour"), (whole % 3600 // 60, "minute"), (whole % 60 if whole < 300 else 0, "second"))
    words = [f"{count} {unit}{'s' if count != 1 else ''}" for count, unit in parts if count]
    return f"{' '.join(words) or 'less than a minute'} {TIME_LEFT if left else TIME_ELAPSED}"


def detected(policy: Policy, agreement: Agreement | None = None) -> str:
    """Return what is looked for, where, and who decides."""
    detection, capture = policy.detection, policy.capture
    asked = agreement is None or IncidentKind.ABSENT not in not_looked_for(agreement.allowances)
    nobody = asked and detection.objects  # faces alone can't tell it from a lowered head
    persons = "other persons or nobody being in the picture" if nobody else "other persons in the picture"
    wanted = (
        (detection.objects and capture.camera, "phones and other things in a hand"),
        (detection.objects and detection.books and capture.camera, "books"),
        (detection.objects and capture.camera, "laptops in the picture"),
        # Either detector counts people (detectors.people).
        ((detection.objects or detection.faces) and capture.camera, persons),
        (detection.faces and detection.looking_away and capture.camera, "a head turned away from the screen"),
        (detection.faces and detection.gaze and capture.camera, "eyes turned away from it"),
        (detection.faces and detection.continuity and capture.camera, "another face than at the start"),
        (detection.speech and capture.microphone, "speech"),
    )
    things = [name for is_on, name in wanted if is_on]
    if not things:
        return "Nothing is looked for automatically. A person may look at the recording."
    return (
        f"This computer itself looks for {join_words(things)}. It can be wrong. What it finds are hints for a person, "
        "who looks at the recording and decides. The program never judges you."
    )


def changed(policy: Policy) -> str:
    """Return what happens to the computer."""
    ask = "after asking you" if policy.lockdown.ask_before_closing else "without asking"
    return (
        f"The exam fills the screen and holds the keyboard. Programs that are not allowed are closed, {ask}. "
        "Everything is undone at the end, and you see a list."
    )


def readers(policy: Policy) -> str:
    """Return who can open the recording, and whether they may watch."""
    names = join_words([recipient.name for recipient in policy.recipients])
    watched = " They may also watch while you work; nothing here shows whether somebody does."
    return (
        f"Only {names}.{watched if may_be_watched(policy) else ''} It is sealed on this computer before it is sent; "
        "the server keeps it but can't open it."
    )


def may_be_watched(policy: Policy) -> bool:
    """Say whether somebody may watch what is recorded while it is."""
    capture = policy.capture
    return capture.live_view and (capture.camera or capture.microphone or capture.screen)


def kept(policy: Policy) -> str:
    """Return for how long the recording is kept."""
    days = policy.retention.days
    return f"{days} day{'s' if days != 1 else ''}, then {policy.institution} deletes it."


def connection() -> str:
    """Return what happens when the network fails."""
    return (
        f"Recording goes on and is sent later. After {CONFIRMATION_LIMIT_MS // 1000} seconds without a sign of life "
        "the exam is covered until the connection is back. Nothing is lost."
    )


def join_words(words: Sequence[str]) -> str:
    """Return "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def size(count: int) -> str:
    """Return bytes for people."""
    if count < 1_000_000:
        return f"{max(count, 0) / 1_000:.0f} kB"
    return f"{count / 1_000_000:.1f} MB"


def about(seconds: int) -> str:
    """Return roughly how long, in words: nobody can know the seconds of an upload."""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    return f"about {round(minutes / 60)} hours"


def clock(seconds: float) -> str:
    """Return a duration as ``1:02:03`` or ``02:03``; never negative."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"
