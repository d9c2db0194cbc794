"""Enters another process of Fairlock by name, so that the shell's process never loads what runs there.

The inference runtime and Qt in one process fail on Windows, and two FFmpeg copies clash on macOS: the shell must not
import the recorder, not even to name its entry point.
"""

import importlib
from multiprocessing.connection import Connection


def enter(connection: "Connection[bytes, bytes]", entry: str, options: object) -> None:
    """Run ``entry`` ("package.module:function") in this new process with ``connection`` and ``options``."""
    module, _, function = entry.partition(":")
    getattr(importlib.import_module(module), function)(connection, options)
