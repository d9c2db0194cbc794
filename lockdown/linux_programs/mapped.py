"""The path of a running file that is longer than a path can be: the link to it can't be read, its mapping can.

``/proc/PID/exe`` gives up beyond PATH_MAX (4,096 bytes), and a folder may lie deeper than that: who goes there step by
step can start a program in it. ``/proc/PID/maps`` names each file that is mapped, however long its path is. Only the
file that runs is looked for; anything else there is left alone. Runs in whichever thread asks.
"""

import os

LONGEST = 1 << 22
"""Bytes that are read of the list; the running file is among its first."""


def path_of_running_file(pid: int) -> str:
    """Return the whole path of what ``pid`` runs, or an empty text if it is not in the list or that can't be read.

    It is not yet there in the moment in which a process becomes another program; new ones are looked at more than once.
    """
    running = f"/proc/{pid}/exe"
    try:
        number = b"%d" % os.stat(running).st_ino  # noqa: PTH116  (of the file, through the link)
        with open(f"/proc/{pid}/maps", "rb") as maps:  # noqa: PTH123  (on the path of a look)
            lines = maps.read(LONGEST).split(b"\n")
    except OSError:
        return ""
    for line in lines:
        # Address, rights, offset, device, number of the file, path (proc_pid_maps(5)). The device is not compared:
        # overlay and btrfs show another one here.
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[4] == number:
            return os.fsdecode(fields[5].replace(b"\\012", b"\n"))
    return ""
