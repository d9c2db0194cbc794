"""Which package index and certificates this machine uses, as its pip settings say.

Owns reading ``PIP_*`` variables and pip's configuration files. Called once when a package is to be fetched; it
changes nothing. pip itself is not run: a frozen application has none, and ``pip download`` of a source package
executes that package's ``setup.py``.
"""

import configparser
import os
import sys
from dataclasses import dataclass
from pathlib import Path

PYPI = "https://pypi.org/simple"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """``addresses`` of simple indexes in the order to ask, and the file of trusted ``certificates`` if one is set."""

    addresses: tuple[str, ...]
    certificates: str | None


def index_settings() -> IndexSettings:
    """Return the settings: a variable beats the user's file, which beats the machine's."""
    index = _setting("index-url") or PYPI
    addresses = [index, *_setting("extra-index-url").split()]
    return IndexSettings(
        addresses=tuple(address.rstrip("/") for address in addresses if address.startswith(("https://", "http://"))),
        certificates=_setting("cert") or None,
    )


def _setting(name: str) -> str:
    from_environment = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if from_environment:
        return from_environment
    for path in _files():
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, "utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        if parser.has_option("global", name):
            return parser.get("global", name)
    return ""


def _files() -> list[Path]:
    """Return pip's configuration files, strongest first; those of other systems are just not there."""
    own = os.environ.get("PIP_CONFIG_FILE")
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  (Path.home raises where there is no home)
    places = [
        Path(sys.prefix, "pip.conf"),
        Path(sys.prefix, "pip.ini"),
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        home / "Library/Application Support/pip/pip.conf",
        Path(os.environ.get("APPDATA", home), "pip", "pip.ini"),
        Path("/etc/pip.conf"),
    ]
    return [Path(own), *places] if own else places
