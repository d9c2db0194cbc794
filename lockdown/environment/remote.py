"""Signs that the screen is seen or controlled from another computer. Pure; ``Session`` is read elsewhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lockdown.environment.evidence import Evidence, Signal, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A TCP port of this computer that a program of remote control uses. ``program`` is empty if not known.

    ``is_connected`` says whether somebody is connected to it (or it to somebody), else it only waits.
    """

    number: int
    program: str = ""
    is_connected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program connected to the X server. ``watches_screen`` and ``hears_keys``: it asked for changes of the picture
    (DAMAGE) or for all keys (RECORD); ``is_visible``: it has a window of its own."""

    program: str
    watches_screen: bool = False
    hears_keys: bool = False
    is_visible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the desktop session says. Whatever can't be read is left empty.

    ``is_remote``: the login manager says that it came over the network; ``variables`` are the names of environment
    variables that only remote logins set; ``extensions`` are those of the X server; ``outputs`` its displays' names.
    """

    is_remote: bool = False
    display: str = ""
    variables: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    clients: tuple[Client, ...] = ()


REMOTE_VARIABLES = (
    "SSH_CONNECTION",
    "SSH_CLIENT",
    "SSH_TTY",
    "XRDP_SESSION",
    "XRDP_SOCKET_PATH",
    "NX_CLIENT",
    "X2GO_SESSION",
)
PORTS = {
    3350: "xrdp",
    3389: "RDP",
    4000: "NoMachine",
    5900: "VNC",
    5901: "VNC",
    5902: "VNC",
    5938: "TeamViewer",
    6568: "AnyDesk",
    7070: "AnyDesk",
    21115: "RustDesk",
    21116: "RustDesk",
    21118: "RustDesk",
}
"""Ports that the programs name in their documents."""

PROGRAMS = frozenset(
    {
        *("x11vnc", "x0vncserver", "x0tigervncserver", "xvnc", "xtigervnc", "krfb", "krdpserver", "vino-server"),
        *(
            "gnome-remote-desktop-daemon",
            "xrdp",
            "xrdp-sesman",
            "xrdp-chansrv",
            "nxserver.bin",
            "nxnode.bin",
            "nxagent",
        ),
        *("teamviewer", "teamviewerd", "teamviewer_desktop", "anydesk", "rustdesk", "wayvnc", "freerdp-shadow-cli"),
        *("vncserver-x11", "vncagent", "x2goagent", "sunshine", "parsecd", "dwagent", "dwagsvc", "splashtop-streamer"),
        *("chrome-remote-desktop-host", "remoting_me2me_host"),
    }
)
"""Programs that show or control a screen from elsewhere, by executable name in lower case."""

_VNC_EXTENSION = re.compile(r"^(vnc-extension|tightvnc.*|nx-agent|nxglobal.*)$", re.IGNORECASE)
_RDP_OUTPUT = re.compile(r"^(rdp|vnc|nxoutput)-?\d*$", re.IGNORECASE)
_FORWARDED = re.compile(r"^[^:/]+:\d")


def signs_of_remote_session(session: Session) -> Evidence | None:
    """Return the signs of remote control, or ``None`` if there is none."""
    signals = (*_login(session), *_server(session), *_ports(session), *_clients(session))
    return Evidence(subject=Subject.REMOTE_SESSION, signals=signals) if signals else None


def _login(session: Session) -> Iterator[Signal]:
    if session.is_remote:
        yield Signal(says="the login manager says that this session came over the network", weight=800)
    if _FORWARDED.match(session.display) and not session.display.startswith("unix:"):
        yield Signal(says="the windows are shown by another computer or forwarded to it", weight=800)
    if session.variables:
        yield Signal(says=f"the session was started over the network ({', '.join(session.variables)})", weight=500)


def _server(session: Session) -> Iterator[Signal]:
    for name in session.extensions:
        if _VNC_EXTENSION.match(name):
            yield Signal(says=f"the X server is one for remote use ({name})", weight=850)
    for name in session.outputs:
        if _RDP_OUTPUT.match(name):
            yield Signal(says=f'the display "{name}" is one for remote use', weight=700)


def _ports(session: Session) -> Iterator[Signal]:
    for port in sorted(session.ports, key=lambda one: (one.number, one.program, one.is_connected)):
        is_known = port.program.lower() in PROGRAMS
        whose = port.program or PORTS.get(port.number, "a program")
        what = "is connected at" if port.is_connected else "waits at"
        known, unknown = (850, 400) if port.is_connected else (450, 150)
        yield Signal(says=f"{whose} {what} port {port.number}", weight=known if is_known else unknown)


def _clients(session: Session) -> Iterator[Signal]:
    for client in sorted(set(session.clients), key=lambda one: one.program):
        if client.program.lower() in PROGRAMS:
            yield Signal(says=f"{client.program} is connected to the screen", weight=800)
        elif client.hears_keys:
            yield Signal(says=f"{client.program} hears every key", weight=250)
        elif client.watches_screen and not client.is_visible:
            yield Signal(says=f"{client.program} watches the screen without a window", weight=200)
