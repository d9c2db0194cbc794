"""Reads whether something is attached to our own processes: ``/proc/PID/status`` and ``/proc/PID/maps``."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lockdown.environment.inspection import Insides
from lockdown.linux_system.network import program_name
from lockdown.linux_system.roots import Roots, entries, naming, text

_MAPPED = re.compile(r"^\S+ ..x. \S+ \S+ [1-9]\d* +(/.*)$", re.MULTILINE)
_OPEN_FOLDERS = ("/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/home/", "/media/", "/mnt/")  # noqa: S108  (only compared)
_DELETED = " (deleted)"
_LINE_FEED = "\\012"


def own_folders() -> tuple[str, ...]:
    """Return where Fairlock's own code and its interpreter are."""
    bundle = getattr(sys, "_MEIPASS", "")
    found = (sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent), bundle)
    return tuple(f"{os.path.realpath(folder).rstrip('/')}/" for folder in dict.fromkeys(found) if folder)


def read_insides(
    roots: Roots, pids: Sequence[int], is_own: Callable[[int], bool], own: Sequence[str], home: str
) -> Insides:
    """Return what can be seen in the processes ``pids``, which are ours.

    ``own`` are folders whose code is ours, ``home`` is the user's home folder. What the kernel hides (a sandboxed
    process) is left out.
    """
    tracers: set[str] = set()
    libraries: set[str] = set()
    vanished: set[str] = set()
    for pid in pids:
        tracer = re.search(r"^TracerPid:\s*(\d+)$", text(roots.proc / str(pid) / "status"), re.MULTILINE)
        if tracer is not None and tracer[1] != "0" and not is_own(int(tracer[1])):
            tracers.add(program_name(roots.proc / tracer[1]) or "a program")
        for path in _foreign(naming(roots.proc / str(pid) / "maps"), own, home):
            (vanished if path.endswith(_DELETED) else libraries).add(path)
    return Insides(
        tracers=tuple(sorted(tracers)),
        libraries=tuple(sorted(libraries)),
        vanished=len(vanished),
        preloads=bool(text(roots.etc / "ld.so.preload")),
        may_attach=text(roots.proc / "sys/kernel/yama/ptrace_scope") == "0",
    )


def _foreign(maps: str, own: Sequence[str], home: str) -> Iterator[str]:
    """Yield the executable files mapped from folders that a user can write to and that are not ``own``."""
    folders = (*_OPEN_FOLDERS, f"{home.rstrip('/')}/") if home.strip("/") else _OPEN_FOLDERS
    for path in dict.fromkeys(name.replace(_LINE_FEED, "\n") for name in _MAPPED.findall(maps)):
        if path.startswith(folders) and not path.startswith(tuple(own)):
            yield path


def family(roots: Roots, start: int, is_own: Callable[[int], bool]) -> Sequence[int]:
    """Return our own processes: from ``start`` up as long as they are ours, and all their children."""
    root = start
    while (parent := _parent(roots, root)) > 1 and is_own(parent):
        root = parent
    found = [root]
    for pid in found:  # grows while it is walked
        for task in entries(roots.proc / str(pid) / "task"):
            found += [int(child) for child in text(task / "children").split() if int(child) not in found]
    return found if start in found else [*found, start]


def _parent(roots: Roots, pid: int) -> int:
    match = re.search(r"^PPid:\s*(\d+)$", text(roots.proc / str(pid) / "status"), re.MULTILINE)
    return int(match[1]) if match is not None else 0
