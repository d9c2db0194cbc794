"""Signs about displays: too many, mirrored, made by a program, or named like a recorder. Pure.

What can't be seen from inside the computer: a splitter that passes the display's own name on, a camera before it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lockdown.environment.evidence import CERTAIN, Evidence, Signal, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A display that shows a picture.

    ``connector`` is the system's name of it ("HDMI-1"), ``title`` what its EDID says, empty without one. ``place`` is
    such as "1920x1080+0+0"; ``picture`` tells pictures apart: two screens with the same one are mirrored, an empty
    one is not known. ``is_area``: a program declared a part of the picture to be a display; no connector drives it.
    """

    connector: str
    title: str = ""
    place: str = ""
    picture: str = ""
    is_area: bool = False

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.title} ({self.connector})" if self.title else self.connector


_MADE = re.compile(
    r"^(virtual|vnc|dummy|rdp|headless|xwayland|screen|nxoutput|virtual-head|evdi-?none)[-_]?\d*(-\d+)?$", re.IGNORECASE
)
_DUMMY = re.compile(r"\bdummy\b|headless|virtual display|\bidd\b|parsecvda|fake display", re.IGNORECASE)
_RECORDERS = re.compile(
    r"elgato|cam ?link|game capture|hd60|avermedia|magewell|epiphan|blackmagic|decklink|mirabox|ms2109|ms2130|"
    r"usb3? ?(video|capture)|hdmi to usb|capture card|\bjetkvm\b|pikvm|tinypilot|splitter|lontium",
    re.IGNORECASE,
)
_BUILT_IN = re.compile(r"^(edp|lvds|dsi)", re.IGNORECASE)


def signs_of_displays(screens: Sequence[Screen], *, allowed: int) -> tuple[Evidence, ...]:
    """Return evidence for each display that the policy may not want, and one for more than ``allowed`` of them."""
    shown = sorted(screens, key=lambda screen: screen.connector)
    found = [
        Evidence(subject=Subject.EXTRA_DISPLAYS, name=screen.name, signals=signals, facts=_facts(screen, shown))
        for screen in shown
        if (signals := tuple(_signals(screen, shown)))
    ]
    if len(shown) > allowed:
        many = Signal(says=f"{len(shown)} displays are in use, {allowed} allowed", weight=CERTAIN)
        facts = {"displays": str(len(shown)), "allowed": str(allowed)}
        names = ", ".join(screen.name for screen in shown)
        found.append(Evidence(subject=Subject.EXTRA_DISPLAYS, name=names, signals=(many,), facts=facts))
    return tuple(found)


def _signals(screen: Screen, shown: Sequence[Screen]) -> Iterator[Signal]:
    same = [other.name for other in shown if other is not screen and screen.picture and other.picture == screen.picture]
    if same:
        yield Signal(says=f"it shows the same picture as {', '.join(same)}", weight=CERTAIN)
    if _MADE.match(screen.connector) or _DUMMY.search(screen.title):
        yield Signal(says="it is made by a program or a dummy plug", weight=800)
    if _RECORDERS.search(screen.title):
        yield Signal(says="it is named like a device that records or splits the picture", weight=700)
    if screen.is_area:
        yield Signal(says="a program declared it, no connector drives it", weight=800)
    elif not screen.title and not _BUILT_IN.match(screen.connector):
        yield Signal(says="it does not say what it is (old cables and switches do that)", weight=300)


def _facts(screen: Screen, shown: Sequence[Screen]) -> dict[str, str]:
    known = {"connector": screen.connector, "place": screen.place, "displays": str(len(shown))}
    return {key: text for key, text in known.items() if text}
