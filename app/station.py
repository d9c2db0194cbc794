"""A testing centre's seat as its administrator set it up: ``/etc/fairlock/kiosk.toml``. Pure but for reading the file.

The same file declares the computer a seat (``lockdown.linux_kiosk.seat`` reads only ``account``, by itself).
"""

import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.contract import canonical
from app.contract.codes import STORED_BYTES
from app.contract.errors import FairlockError, UserFacing
from app.contract.wire import LINK_SCHEME, ExamLink

SETTINGS = Path("/etc/fairlock/kiosk.toml")
LEAST_PIN = 6
MOST_LINKS = 10_000
_KEYS = frozenset({"account", "pin", "links"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """``links`` maps a code (capital letters) to an exam link; one under ``seat``, this computer's name, is its own.

    ``pin`` is ``app.contract.codes.stored_form`` of what ends the kiosk, ``None``: nothing does. ``release_file`` is
    made when it was given.
    """

    links: Mapping[str, str] = field(default_factory=dict)
    pin: bytes | None = None
    seat: str = ""
    release_file: Path | None = None

    @property
    def own_link(self) -> str:
        """The link that this seat opens without a code; empty if there is none."""
        return self.links.get(self.seat.upper(), "")

    def link_for(self, entered: str) -> str:
        """Return the exam link that ``entered`` is, or is the code of; raises ``UserFacing``.

        A seat that has links takes no others but those of the same servers and institutions: anybody can make an exam
        of their own, and what it shows would be theirs to choose.
        """
        wanted = entered.strip()
        link = wanted if wanted.lower().startswith(f"{LINK_SCHEME}:") else self.links.get(wanted.upper(), "")
        if not link:
            raise UserFacing(
                "There is no exam under this code.", advice="Look at it again, or ask the invigilator.", code="E-CODE"
            )
        parsed = ExamLink.parse(link)
        if self.links and link not in self.links.values() and _from(parsed) not in map(_from_text, self.links.values()):
            raise UserFacing(
                "This seat is not for exams from there.", advice="Ask the invigilator for your code.", code="E-CODE"
            )
        return link


def read(path: Path = SETTINGS, *, seat: str = "") -> Station:
    """Return what ``path`` says (no file: nothing); raises ``UserFacing`` (E-SEAT), also for an unknown key."""
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Station(seat=seat or _name())
    except (OSError, ValueError) as error:
        raise _refused(path, f"it can't be read ({error})") from error
    unknown = sorted(set(said) - _KEYS)
    if unknown:
        raise _refused(path, f"it has keys that mean nothing: {', '.join(unknown)}")
    return Station(links=_links(path, said.get("links", {})), pin=_pin(path, said.get("pin")), seat=seat or _name())


def _links(path: Path, said: object) -> Mapping[str, str]:
    if not isinstance(said, dict) or len(said) > MOST_LINKS or not all(isinstance(link, str) for link in said.values()):
        raise _refused(path, "links must be a table of code = link")
    for code, link in said.items():
        try:
            ExamLink.parse(link)
        except FairlockError as error:
            raise _refused(path, f"under {code!r} is no exam link") from error
    return {code.upper(): link for code, link in said.items()}


def _pin(path: Path, said: object) -> bytes | None:
    if said is None:
        return None
    try:
        stored = canonical.unb64(said) if isinstance(said, str) else b""
    except FairlockError:
        stored = b""
    if len(stored) != STORED_BYTES:
        raise _refused(path, "pin is not what `fairlock kiosk --make-pin` prints")
    return stored


def _from(link: ExamLink) -> tuple[str, str]:
    """Return whose exam it is: its server, and the key that signs its policy."""
    return link.server, link.pin


def _from_text(link: str) -> tuple[str, str]:
    return _from(ExamLink.parse(link))


def _name() -> str:
    return socket.gethostname().partition(".")[0]


def _refused(path: Path, why: str) -> UserFacing:
    return UserFacing(f"{path} can't be used: {why}.", advice="Tell whoever set this computer up.", code="E-SEAT")
