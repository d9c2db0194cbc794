"""What lockdown can hold: one Protocol per capability, and ``Platform``, which says what this desktop offers.

Two shapes. A **Measure** changes something and is held from ``engage`` until ``release``; what it changes beyond the
life of its process it declares beforehand as ``Undo`` data, so that a crash can be undone (``lockdown.restore``).
A **Watch** changes nothing; it is asked again and again and answers with ``Finding`` facts.

No implementation is here, and none may be a silent no-op: what a desktop can't do is ``Unsupported``, with the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind, Severity
from app.contract.policy import Capability
from app.contract.times import Instant
from lockdown.environment.evidence import Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """How to take one change back, as data that survives a crash.

    ``kind`` names the function that replays it (``Platform.replayers``), ``says`` is a sentence for people.
    """

    kind: str
    arguments: Mapping[str, str]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something a watch saw: the kind of incident and short facts, never contents (of a clipboard, of a window).

    ``since`` is when it began, for something that lasted until it was seen; ``None`` for a moment. ``seen`` is when it
    was seen, where that is told later. ``severity`` is given where that of the kind does not fit.
    """

    kind: IncidentKind
    facts: Mapping[str, str] = field(default_factory=dict)
    since: Instant | None = None
    seen: Instant | None = None
    severity: Severity | None = None


@runtime_checkable
class Measure(Protocol):
    """Something that is held. Engage it through ``RestoreFile.engage``, which writes the undo file first."""

    def plan(self) -> Sequence[Undo]:
        """Return what would put the machine back to how it is now. Changes nothing.

        Empty where the change ends with the process that made it.
        """
        ...

    def engage(self) -> None:
        """Make the change. Raises ``Unsupported`` if that is not possible after all."""
        ...

    def holds(self) -> bool:
        """Whether it is in force at this moment, asked of the system and not of memory."""
        ...

    def release(self) -> None:
        """Give back what lives in this process. Idempotent; never raises for something already gone."""
        ...


@runtime_checkable
class Watch(Protocol):
    """Something that is looked at."""

    def observe(self) -> Sequence[Finding]:
        """Return what is new since the last call. Raises ``Unsupported`` if it can't look any more."""
        ...


class Kiosk(Measure, Protocol):
    """The exam window covers every screen and comes back when something covers it. Held by the shell (Qt).

    **Mitigates against** other windows beside or over the exam, minimising and closing it.
    **Does not stop** a second device, a mirrored display, or windows that a compositor draws above all others.
    """


class InputGuard(Measure, Protocol):
    """Key combinations that leave the exam do nothing: Alt+Tab, the system key, Print, switching the console.

    Input that a program made is counted, where the system tells it from a person's.

    **Mitigates against** switching to another program or desktop, screenshots by key.
    **Does not stop** Ctrl+Alt+Del on Windows, the power button, keys that firmware handles, a second keyboard on
    another seat.
    """


class ClipboardGuard(Measure, Watch, Protocol):
    """The clipboard holds nothing of anybody's at the start and again after each change. Contents are never read.

    **Mitigates against** pasting prepared text into the exam, and carrying the exam out.
    **Does not stop** retyping, nor a clipboard kept inside one program.
    """


class ProcessWatch(Watch, Protocol):
    """Prohibited programs are found when they start, and at the latest five seconds after they change their name.

    **Mitigates against** remote desktops, recorders, assistants and other browsers that the rules know by name,
    original name, signer, path or hash, and renamed copies of those that are installed here.
    **Does not stop** a changed copy, code inside a permitted program, a script under a name of its own, another user's
    program.
    """


class WindowWatch(Watch, Protocol):
    """Which program has the keyboard focus instead of the exam, and whose windows lie over it.

    **Mitigates against** work in another window without a trace, and overlays that never take the focus.
    **Does not stop** what a window manager, compositor or driver draws itself, nor a permitted program's own overlay.
    """


class DisplayWatch(Survey, Protocol):
    """Displays: how many, mirrored, made by a program; those that appear, vanish or change during the exam.

    **Mitigates against** a second screen, a mirrored one, a capture card that gives its name.
    **Does not stop** a splitter between computer and display, which shows the same picture twice.
    """


class RemoteWatch(Survey, Protocol):
    """Signs of remote control, virtual machines, virtual cameras and debuggers (``lockdown.environment``).

    **Mitigates against** unnoticed remote help.
    **Does not stop** a machine prepared to hide them; each sign is weak and is reported, not judged.
    """


class DeviceWatch(Survey, Protocol):
    """Storage and input devices that are plugged in, before the exam and during it.

    **Mitigates against** files from a stick, keyboards that type by themselves.
    **Does not stop** a device that names itself like the one it replaces; nothing is ejected.
    """


class CaptureShield(Measure, Protocol):
    """Other programs can't record the exam window.

    **Mitigates against** screenshots and screen sharing of the questions.
    **Does not stop** a camera; and it hides the window from our own recording as well.
    """


class SleepGuard(Measure, Protocol):
    """Screen saver, display power saving and falling asleep are held off.

    **Mitigates against** a recording that stops because nobody touched the mouse while reading.
    **Does not stop** closing the lid, an empty battery or the power button.
    """


@runtime_checkable
class Limited(Protocol):
    """A part that holds, but not in everything; what it leaves open is reported when it is taken."""

    @property
    def limit(self) -> str:
        """What that is, as a sentence; empty if nothing is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldByShell:
    """The shell holds this with its own window. ``limit`` says what that leaves open, empty if nothing known."""

    limit: str = ""


Part: TypeAlias = Measure | Watch | Survey | HeldByShell | Unsupported
Replay: TypeAlias = Callable[[Mapping[str, str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What this desktop offers: for every ``Capability`` a part, and how to replay each kind of ``Undo``.

    ``tier`` is shown to the examiner: A own kiosk session, B desktop with grabs, C best effort.
    """

    name: str
    tier: str
    parts: Mapping[Capability, Part]
    replayers: Mapping[str, Replay] = field(default_factory=dict)
    beside: Sequence[tuple[Capability, Watch | Unsupported]] = ()
    """More watches of a capability, beside its part; each is used by a thread of its own."""
    close: Callable[[], None] = lambda: None
    """Closes the connections of its parts; none of them is used afterwards."""

    def __post_init__(self) -> None:
        forgotten = set(Capability) - set(self.parts)
        if forgotten:
            raise ValueError(f"{self.name} says nothing about {', '.join(sorted(forgotten))}")

    @property
    def missing(self) -> Mapping[Capability, Unsupported]:
        """What it can't do, with the reasons."""
        return {name: part for name, part in self.parts.items() if isinstance(part, Unsupported)}

    def limit(self, name: Capability) -> str:
        """Return what its part leaves open, as far as that is known now; empty if nothing is."""
        part = self.parts[name]
        return part.limit if isinstance(part, Limited) else ""


class Completed(Protocol):
    """How an external program ended (``app.external.Completed``)."""

    @property
    def status(self) -> int:
        """Its exit status."""
        ...

    @property
    def output(self) -> str:
        """What it wrote."""
        ...


class RunExternal(Protocol):
    """Runs a program (``app.external.run_external``); handed in, because lockdown imports only the contract."""

    def __call__(self, command: Sequence[str], *, timeout_s: float = ...) -> Completed:
        """Run ``command`` to its end. Raises ``Unsupported`` when it is missing or hangs."""
        ...


def unsupported(reason: str, advice: str = "") -> Unsupported:
    """Return the answer of a backend that can't do something."""
    return Unsupported(reason, advice=advice, code="E-LOCKDOWN-UNSUPPORTED")
