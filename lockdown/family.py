"""Who started whom: pure questions about the processes of a machine."""

from collections.abc import Mapping


def ancestors(root: int, programs: Mapping[int, int]) -> frozenset[int]:
    """Return what started ``root``, over all generations; ``programs`` maps each process id to its parent's."""
    found: set[int] = set()
    pid = programs.get(root, 0)
    while pid > 0 and pid not in found:
        found.add(pid)
        pid = programs.get(pid, 0)
    return frozenset(found)


def descendants(root: int, programs: Mapping[int, int]) -> frozenset[int]:
    """Return ``root`` and everything it started; ``programs`` maps each process id to its parent's.

    What started ``root`` is not part of it: a browser must not be safe because the exam's link was opened there.
    """
    children: dict[int, list[int]] = {}
    for pid, parent in programs.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children.get(pid, ()))
    return frozenset(found)
