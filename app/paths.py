"""Where Fairlock keeps its files on this machine. Every folder is created on first use and only its owner may enter.

``FAIRLOCK_HOME`` moves all of them below one folder, for tests, demonstrations and managed machines.
Pure look-ups and ``mkdir``; called from any process.
"""

import os
import sys
from pathlib import Path

from app.contract.errors import UserFacing

HOME_VARIABLE = "FAIRLOCK_HOME"


def data_dir() -> Path:
    """Return the folder for what must survive a restart: evidence not yet received, receipts, the restore file."""
    return _private(_base("data"))


def cache_dir() -> Path:
    """Return the folder for what can be fetched or computed again, such as models."""
    return _private(_base("cache"))


def runtime_dir() -> Path:
    """Return the folder for what lives as long as the login session, such as the single-instance lock."""
    return _private(_base("run"))


def restore_file() -> Path:
    """Return the write-ahead file of changes to undo (``lockdown.restore``); it need not exist."""
    return data_dir() / "restore.json"


def _base(kind: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser().absolute() / kind
    return _system_base(kind)


if sys.platform == "win32":

    def _system_base(kind: str) -> Path:
        return _from_environment("LOCALAPPDATA", Path.home() / "AppData" / "Local") / "Fairlock" / kind

elif sys.platform == "darwin":

    def _system_base(kind: str) -> Path:
        library = Path.home() / "Library"
        if kind == "cache":
            return library / "Caches" / "Fairlock"
        return library / "Application Support" / "Fairlock" / kind

else:

    def _system_base(kind: str) -> Path:
        if kind == "cache":
            return _from_environment("XDG_CACHE_HOME", Path.home() / ".cache") / "fairlock"
        if kind == "run" and "XDG_RUNTIME_DIR" in os.environ:
            return Path(os.environ["XDG_RUNTIME_DIR"]) / "fairlock"
        data = _from_environment("XDG_DATA_HOME", Path.home() / ".local" / "share") / "fairlock"
        return data / "run" if kind == "run" else data


def _from_environment(variable: str, otherwise: Path) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if Path(value).is_absolute() else otherwise


def _private(folder: Path) -> Path:
    """Create ``folder`` for its owner alone; close one that is open to others."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise UserFacing(
            f"The folder {folder} can't be used ({error.strerror}).",
            advice=f"Make it writable for you, or set {HOME_VARIABLE} to a folder that is.",
            code="E-FOLDER",
        ) from error
    return folder
