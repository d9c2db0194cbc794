"""Makes the process safe to start Qt in: environment, arguments, one instance. Standard library only, no Qt.

Runs first thing in the shell's process. Outside ways into the exam page that were seen to work, each closed here:
``QTWEBENGINE_REMOTE_DEBUGGING``, ``QTWEBENGINE_CHROMIUM_FLAGS`` and the argument ``--webEngineArgs`` open a debugging
port; ``QT_QPA_PLATFORM=vnc`` shows the screen to others; ``LD_PRELOAD`` and ``PYTHONPATH`` bring foreign code along.
It does not stop somebody who changes the program's files.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.contract.errors import UserFacing
from app.exclusive import lock

LOADER_PREFIXES = ("LD_", "DYLD_", "PYTHON")
"""Already used by the time this runs, so that removing them means starting again."""
DROPPED_PREFIXES = ("QTWEBENGINE", "QT_", "QML", "QSG_", "CHROME_", "GIO_", "VK_")
DROPPED = frozenset(
    {"GCONV_PATH", "GTK_MODULES", "GTK_PATH", "LIBGL_DRIVERS_PATH", "SSLKEYLOGFILE", "NODE_OPTIONS", "G_SLICE"}
)
KEPT = frozenset(
    {
        # How large and how readable things are, and who may read them aloud.
        "QT_ACCESSIBILITY",
        "QT_AUTO_SCREEN_SCALE_FACTOR",
        "QT_ENABLE_HIGHDPI_SCALING",
        "QT_FONT_DPI",
        "QT_IM_MODULE",
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON",
        "QT_SCALE_FACTOR",
        "QT_SCREEN_SCALE_FACTORS",
        # How Python writes, not what it runs.
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONFAULTHANDLER",
        "PYTHONHASHSEED",
        "PYTHONIOENCODING",
        "PYTHONUNBUFFERED",
        "PYTHONUTF8",
    }
)
PLATFORM = "QT_QPA_PLATFORM"
PLATFORMS = frozenset({"xcb", "wayland", "windows", "cocoa", "offscreen"})
ENGINE_ARGUMENTS = (
    "--no-sandbox",
    "--disable-setuid-sandbox",
    "--disable-web-security",
    "--disable-seccomp",
    "--remote-debugging",
    "--remote-allow",
    "--single-process",
    "--no-zygote",
    "--in-process-gpu",
    "--load-extension",
    "--webengineargs",
    "--webengine",
    "--use-fake",
    "--use-file-for-fake",
    "--user-data-dir",
    "-platform",
    "-platformpluginpath",
    "-qmljsdebugger",
    "-stylesheet",
)
BUS, NO_BUS = "DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent"
SANDBOX_OFF = "QTWEBENGINE_DISABLE_SANDBOX"
_RESTARTED = "FAIRLOCK_RESTARTED"
"""``PID:NAMES``: this very process started itself again without the variables NAMES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What was done to get here, for the journal: names only, never values."""

    removed: tuple[str, ...]
    sandbox: bool


def prepare(argv: Sequence[str] | None = None) -> Launch:
    """Clean this process for Qt; called before Qt is imported. May not return: it starts the program again once if
    the loader or Python had used a variable that had to go.

    Raises ``UserFacing`` with ``E-ARGUMENT`` or ``E-ENVIRONMENT``.
    """
    check_arguments(sys.argv[1:] if argv is None else argv)
    before = _removed_before(os.environ)
    removed = scrub(os.environ)
    start_no_bus(os.environ)
    if any(name.startswith(LOADER_PREFIXES) for name in removed):
        _start_again(removed, before)
    return Launch(removed=(*before, *removed), sandbox=_decide_sandbox(os.environ))


def start_no_bus(environment: MutableMapping[str, str]) -> None:
    """Use the desktop's message bus or none: Qt would start one (``dbus-launch``) that outlives the exam.

    Source: the D-Bus specification, "Well-known Message Bus Instances": without an address the bus of the runtime
    folder is tried, and then one is started.
    """
    try:
        has_bus = Path(environment.get("XDG_RUNTIME_DIR", "/nonexistent"), "bus").exists()
    except OSError:  # after ``su`` the runtime folder is still that of the user before
        has_bus = False
    if not has_bus:
        environment.setdefault(BUS, NO_BUS)


def scrub(environment: MutableMapping[str, str]) -> tuple[str, ...]:
    """Remove every variable that could steer Qt, Chromium, Python or the loader; return the names removed."""
    removed = tuple(sorted(name for name, value in environment.items() if _must_go(name, value)))
    for name in removed:
        del environment[name]
    return removed


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse arguments meant for the browser engine; raises ``UserFacing(E-ARGUMENT)``."""
    for argument in arguments:
        if argument.lower().startswith(ENGINE_ARGUMENTS):
            raise UserFacing(
                f"The argument {argument.partition('=')[0]} would weaken the exam browser.",
                advice="Start Fairlock without it.",
                code="E-ARGUMENT",
            )


@contextlib.contextmanager
def single_instance(folder: Path) -> Iterator[None]:
    """Hold the lock that only one shell per login session can hold; the system drops it if the process dies.

    Raises ``UserFacing(E-ALREADY-RUNNING)``.
    """
    with (folder / "fairlock.lock").open("a+b") as handle:
        try:
            lock(handle.fileno())
        except OSError as error:
            raise UserFacing(
                "Fairlock is already running.",
                advice="Switch to its window, or end it before you open the link again.",
                code="E-ALREADY-RUNNING",
            ) from error
        yield


def _must_go(name: str, value: str) -> bool:
    upper = name.upper()
    if upper == PLATFORM:
        return value not in PLATFORMS
    if upper in KEPT or _set_by_own_bundle(upper, value):
        return False
    return upper in DROPPED or upper.startswith((*LOADER_PREFIXES, *DROPPED_PREFIXES))


def _set_by_own_bundle(name: str, value: str) -> bool:
    """The frozen program's loader points ``LD_LIBRARY_PATH`` at its own folder, at each start."""
    bundle = getattr(sys, "_MEIPASS", None)
    if bundle is None or name not in ("LD_LIBRARY_PATH", "LD_LIBRARY_PATH_ORIG"):
        return False
    return name.endswith("_ORIG") or value == bundle


def _removed_before(environment: MutableMapping[str, str]) -> tuple[str, ...]:
    """Take the mark of the start before this one and return what it removed; empty if this is the first start.

    ``exec`` keeps the process id, so that a mark inherited from another process (a demonstration, a test run) means
    nothing. On Windows ``exec`` makes a child.
    """
    process, _, names = environment.pop(_RESTARTED, "").partition(":")
    earlier = {os.getpid(), os.getppid()} if os.name == "nt" else {os.getpid()}
    return tuple(names.split(",")) if process in map(str, earlier) else ()


def _start_again(removed: Sequence[str], before: Sequence[str]) -> None:
    if before:
        raise UserFacing(
            f"The environment forces code into the exam browser ({', '.join(removed)}).",
            advice="Remove these variables and start Fairlock again.",
            code="E-ENVIRONMENT",
        )
    os.environ[_RESTARTED] = f"{os.getpid()}:{','.join(removed)}"
    program = [sys.executable, *sys.argv[1:]] if getattr(sys, "frozen", False) else sys.orig_argv
    os.execve(sys.executable, program, dict(os.environ))  # noqa: S606  (ourselves, with the environment cleaned)


def _decide_sandbox(environment: MutableMapping[str, str]) -> bool:
    """Chromium's sandbox is on, except for root, where it can't be; the screen and the journal say so."""
    if is_root():
        environment[SANDBOX_OFF] = "1"
        return False
    return True


def is_root() -> bool:
    """Whether this process runs as root (never on Windows)."""
    effective_user = getattr(os, "geteuid", None)
    return effective_user is not None and effective_user() == 0


def describe(launch: Launch) -> Mapping[str, str]:
    """Return what is worth writing to the journal, empty when all is as it should be."""
    facts = {}
    if launch.removed:
        facts["removed"] = ", ".join(launch.removed)[:500]
    if not launch.sandbox:
        facts["sandbox"] = "off: running as root"
    return facts
