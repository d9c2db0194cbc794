"""Signs that another program inspects or alters Fairlock. Pure; ``Insides`` is read elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass

from lockdown.environment.evidence import Evidence, Signal, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Insides:
    """What can be seen in our own processes.

    ``tracers`` are the names of programs that trace one of them, ``libraries`` executable files mapped into them from
    folders that a user can write to and that are not Fairlock's own, ``vanished`` how many such files are deleted by
    now (graphics drivers do that too). ``preloads``: the system forces a library into every program; ``may_attach``:
    any program of this user may trace any other.
    """

    tracers: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    vanished: int = 0
    preloads: bool = False
    may_attach: bool = False


def signs_of_inspection(insides: Insides) -> Evidence | None:
    """Return the signs of a debugger, or ``None`` if there is none."""
    signals = tuple(_signals(insides))
    return Evidence(subject=Subject.DEBUGGER, signals=signals) if signals else None


def _signals(insides: Insides) -> Iterator[Signal]:
    for name in sorted(set(insides.tracers)):
        yield Signal(says=f"{name} traces Fairlock", weight=900)
    for path in sorted(set(insides.libraries)):
        yield Signal(says=f"foreign code is loaded from {path}", weight=500)
    if insides.vanished:
        yield Signal(says="code was loaded from a file that was deleted since (graphics drivers do that)", weight=200)
    if insides.preloads:
        yield Signal(says="the system forces a library into every program (ld.so.preload)", weight=250)
    if insides.may_attach and (insides.tracers or insides.libraries or insides.vanished or insides.preloads):
        yield Signal(says="programs of the same user may inspect each other here", weight=50)
