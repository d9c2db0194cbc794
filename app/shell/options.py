"""What the shell is started with. Picklable; no Qt."""

from dataclasses import dataclass
from pathlib import Path

from app.station import Station


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellOptions:
    """What to run. ``recorder_options`` and ``guard_options`` are handed to the entry points as they are.

    ``rehearse``: the buttons press themselves, only where the policy says "demonstration"; shown, and journalled.
    ``windowed``: no full screen; then ``kiosk`` is missing, which a policy that requires it refuses.
    ``screenshots``: a folder for a picture of every screen, under the same condition.
    ``theme``: "system", "light", "dark" or "contrast".
    ``station``: a testing centre's seat; without a ``link`` it shows its start page first.
    """

    link: str = ""
    recorder_options: object
    guard_options: object
    rehearse: bool = False
    windowed: bool = False
    station: Station | None = None
    screenshots: Path | None = None
    theme: str = "system"
    recorder_entry: str = "app.recorder.process:main"
    guard_entry: str = "app.guard.process:main"
