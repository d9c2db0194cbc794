"""Refuses a badly built program before the exam instead of at 10:41. Counted, so that no check can get lost.

Runs in the shell's process after Qt can be imported and before the first window.
"""

import importlib
import sys
from collections.abc import Callable

from app.contract.errors import Fatal

QT_VERSION = "6.11.3"
NONE_LEAK_CALLS = 200
WEB_MODULES = ("PySide6.QtWebEngineCore", "PySide6.QtWebEngineWidgets", "PySide6.QtSvg")


def check_versions() -> str:
    """Qt is exactly the version whose behaviour was measured."""
    pyside = importlib.import_module("PySide6")
    return "" if pyside.__version__ == QT_VERSION else f"PySide6 is {pyside.__version__}, not {QT_VERSION}"


def check_modules() -> str:
    """The web engine is part of this build."""
    for name in WEB_MODULES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            return f"{name} can't be loaded: {error}"
    return ""


def check_none_is_kept() -> str:
    """No call into Qt loses a reference to ``None``.

    WORKAROUND guard: PySide6 6.12.0 with Python 3.11 loses one on each void call and aborts after thousands.
    """
    from PySide6.QtCore import QObject  # noqa: PLC0415  (the module must be importable without Qt)

    probe = QObject()
    probe.setObjectName("warm-up")
    before = sys.getrefcount(None)
    for _ in range(NONE_LEAK_CALLS):
        probe.setObjectName("probe")
    lost = before - sys.getrefcount(None)
    return "" if lost < NONE_LEAK_CALLS // 2 else f"{lost} references to None lost in {NONE_LEAK_CALLS} calls"


def check_icons() -> str:
    """The drawings are part of this build."""
    from app.shell.icons import ICONS, read  # noqa: PLC0415  (imports Qt)

    missing = [name for name in ICONS if not read(name)]
    return f"icons are missing: {', '.join(missing)}" if missing else ""


CHECKS: tuple[Callable[[], str], ...] = (check_versions, check_modules, check_none_is_kept, check_icons)
EXPECTED_COUNT = 4


def run() -> int:
    """Run every check and return how many ran; raises ``Fatal(E-SELF-TEST)`` naming what failed."""
    faults = [fault for fault in (check() for check in CHECKS) if fault]
    if len(CHECKS) != EXPECTED_COUNT:
        faults.append(f"{len(CHECKS)} checks instead of {EXPECTED_COUNT}")
    if faults:
        raise Fatal(f"This build of Fairlock is not sound: {'; '.join(faults)}.", code="E-SELF-TEST")
    return len(CHECKS)
