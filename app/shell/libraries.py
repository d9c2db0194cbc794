"""Names the system package that is missing, before Qt dies of it without a word. No Qt; read-only; Linux only.

Qt aborts the process when its X11 plug-in can't be loaded, and Python only says which file is missing.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from app.contract.errors import UserFacing

LOADER_CACHE = Path("/etc/ld.so.cache")
ENGINE: Mapping[str, str] = {
    "libnss3.so": "libnss3",
    "libnspr4.so": "libnspr4",
    "libasound.so.2": "libasound2",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libgbm.so.1": "libgbm1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libXcomposite.so.1": "libxcomposite1",
    "libXdamage.so.1": "libxdamage1",
    "libXrandr.so.2": "libxrandr2",
    "libXtst.so.6": "libxtst6",
    "libxkbfile.so.1": "libxkbfile1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libbrotlidec.so.1": "libbrotli1",
}
X11: Mapping[str, str] = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
}
"""Library file to Debian package: what QtWebEngine 6.11 and its X11 plug-in load (``packaging/system_packages.sh``)."""


def check(*, x11: bool, cache: Path = LOADER_CACHE, bundle: Path | None = None) -> None:
    """Raise ``UserFacing(E-SYSTEM-LIBRARY)`` naming the packages whose libraries are missing.

    ``cache`` is the loader's list of libraries; without one (not a Linux with glibc) nothing can be said.
    ``bundle`` is the folder of a frozen program, which carries libraries of its own.
    """
    if not cache.is_file():
        return
    known = cache.read_bytes()
    carried = {path.name for path in bundle.rglob("*.so*")} if bundle is not None else set()
    wanted = {**ENGINE, **(X11 if x11 else {})}
    missing = [
        package for name, package in wanted.items() if name.encode() + b"\0" not in known and name not in carried
    ]
    if missing:
        raise _missing(missing)


def check_display(environment: Mapping[str, str], cache: Path = LOADER_CACHE) -> None:
    """Raise ``UserFacing(E-DESKTOP)`` where Qt would abort for want of a display (Linux only)."""
    named = environment.get("QT_QPA_PLATFORM", "")
    if not cache.is_file() or named == "offscreen":
        return
    if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        raise UserFacing(
            "There is no screen to show the exam on.",
            advice="Start Fairlock from a desktop session (X11).",
            code="E-DESKTOP",
        )


def explain(error: ImportError) -> UserFacing:
    """Turn Python's "cannot open shared object file" into a sentence that names the package."""
    found = re.match(r"([\w.+-]+\.so[\w.]*): cannot open shared object file", str(error))
    if found is None:
        return UserFacing(
            f"A part of the browser can't be loaded ({error}).",
            advice="Install Fairlock again.",
            code="E-SYSTEM-LIBRARY",
        )
    name = found.group(1)
    return _missing([{**ENGINE, **X11}.get(name, name)])


def _missing(packages: list[str]) -> UserFacing:
    plural = "s" if len(packages) > 1 else ""
    return UserFacing(
        f"The browser needs system package{plural} not installed here: {', '.join(packages)}.",
        advice=f"Install with: sudo apt install {' '.join(packages)}",
        code="E-SYSTEM-LIBRARY",
    )
