"""What a power cut leaves: a program's writes are traced, and any moment of them is made into the disk it would find.

The model is stricter than most file systems. A file's content is certain up to its last ``fsync`` or ``fdatasync``; of
what was written since, any number of writes may be there, the next one torn or as zeros. A name (a new file, a rename,
a link, a removal) is certain after an ``fsync`` of its folder; of the later ones any number may be there, in order.

Source: T. S. Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014. Needs ``strace``.
"""

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CALLS = "openat,write,pwrite64,lseek,ftruncate,fsync,fdatasync,rename,link,unlink,close"
_LINE = re.compile(r"^(\d+) +(.*)$")
_UNFINISHED, _RESUMED = " <unfinished ...>", re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
_CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+)(?:<(.*)>)?")
_FILE = re.compile(r"^(\d+)<([^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One system call that succeeded, on ``path``. ``to`` what it is renamed or linked to; ``at`` is -1 for the end."""

    name: str
    path: str
    to: str = ""
    data: bytes = b""
    at: int = -1


def traced(command: Sequence[str], log: Path, *, cwd: Path) -> list[Call]:
    """As ``trace``; skips the test where nothing can be traced."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, capture_output=True).returncode:
        pytest.skip("to trace a program takes more rights on this system")
    return trace(command, log, cwd=cwd)


def trace(command: Sequence[str], log: Path, *, cwd: Path) -> list[Call]:
    """Run ``command`` to its end under ``strace`` and return what it did to files, in order."""
    strace = ["strace", "-f", "-y", "-xx", "-s", "4194304", "-e", f"trace={CALLS}", "-o", str(log)]
    subprocess.run([*strace, *command], cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    return list(_calls(log.read_text("ascii")))


def _whole_lines(text: str) -> Iterator[tuple[str, str]]:
    """Put calls together that another thread's interrupted; one counts when it has returned."""
    begun: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        thread, call = match.groups()
        resumed = _RESUMED.match(call)
        if call.endswith(_UNFINISHED):
            begun[thread] = call.removesuffix(_UNFINISHED)
        else:
            yield thread, begun.pop(thread) + resumed.group(1) if resumed else call


def _calls(text: str) -> Iterator[Call]:
    offsets: dict[str, int] = {}  # by "descriptor<path>"; -1: always at the end
    for _, line in _whole_lines(text):
        match = _CALL.match(line)
        if match is None or int(match.group(3)) < 0:
            continue
        name, arguments, result, opened = match.groups()
        texts = [bytes.fromhex(one.replace("\\x", "")) for one in _TEXT.findall(arguments)]
        file = _FILE.match(arguments)
        if name == "openat":
            path = _plain(opened)
            offsets[f"{result}<{path}>"] = -1 if "O_APPEND" in arguments else 0
            if "O_DIRECTORY" in arguments:
                continue
            yield Call(name="truncate" if "O_TRUNC" in arguments else "open", path=path)
        elif name in ("rename", "link", "unlink"):
            yield Call(name=name, path=texts[0].decode(), to=texts[-1].decode())
        elif file is not None:
            path = _plain(file.group(2))
            yield from _on_file(name, arguments, path, f"{file.group(1)}<{path}>", int(result), texts, offsets)


def _on_file(
    name: str, arguments: str, path: str, key: str, result: int, texts: list[bytes], offsets: dict[str, int]
) -> Iterator[Call]:
    at = offsets.get(key, 0)
    if name == "write":
        yield Call(name="write", path=path, data=texts[-1][:result], at=at)
        offsets[key] = at if at < 0 else at + result
    elif name == "pwrite64":
        yield Call(name="write", path=path, data=texts[-1][:result], at=int(arguments.rsplit(", ", 1)[1]))
    elif name == "lseek":
        offsets[key] = result if at >= 0 else at
    elif name == "ftruncate":
        yield Call(name="cut", path=path, at=int(arguments.rsplit(", ", 1)[1]))
    elif name in ("fsync", "fdatasync"):
        yield Call(name="sync", path=path)


def _plain(path: str | None) -> str:
    """Undo the escapes with which ``strace -xx`` prints the path of a descriptor."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found.group(1), 16)), path or "")


@dataclass(slots=True)
class _Content:
    """A file's bytes that are certain, and the writes since."""

    certain: bytearray = field(default_factory=bytearray)
    since: list[Call] = field(default_factory=list)

    def sync(self) -> None:
        for call in self.since:
            _apply(self.certain, call)
        self.since.clear()

    def after_cut(self, dice: random.Random) -> bytes:
        data, lucky = bytearray(self.certain), dice.randint(0, len(self.since))
        for call in self.since[:lucky]:
            _apply(data, call)
        if lucky < len(self.since) and self.since[lucky].name == "write":
            torn = self.since[lucky]
            kept = torn.data[: dice.randint(0, len(torn.data))]
            zeros = bytes(len(torn.data)) if dice.random() < 0.3 else kept
            _apply(data, Call(name="write", path=torn.path, data=zeros, at=torn.at))
        return bytes(data)


def _apply(data: bytearray, call: Call) -> None:
    if call.name == "cut":
        del data[call.at :]
        data.extend(bytes(max(0, call.at - len(data))))
        return
    at = len(data) if call.at < 0 else call.at
    data.extend(bytes(max(0, at - len(data))))
    data[at : at + len(call.data)] = call.data


class Disk:
    """The files below ``root`` as a program sees them, and what of them a power cut leaves."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._names: dict[str, _Content] = {}
        self._certain: dict[str, _Content] = {}
        self._since: list[tuple[str, str, _Content | None]] = []

    def do(self, call: Call) -> None:
        """Take the next call; those elsewhere are passed over."""
        if not call.path.startswith(self._root):
            return
        if call.name == "sync" and call.path not in self._names:
            self._sync_folder(call.path)
        elif call.name in ("open", "truncate"):
            self._open(call)
        elif call.name == "sync":
            self._names[call.path].sync()
        elif call.name in ("write", "cut"):
            self._names[call.path].since.append(call)
        elif call.name == "rename":
            moved = self._names[call.to] = self._names.pop(call.path)
            self._since += [(call.to, call.path, moved)]
        elif call.name == "link":
            self._names[call.to] = self._names[call.path]
            self._since.append((call.to, "", self._names[call.path]))
        elif call.name == "unlink":
            self._names.pop(call.path, None)
            self._since.append((call.path, "", None))

    def after_cut(self, dice: random.Random) -> dict[str, bytes]:
        """Return name and content of the files that are left."""
        names, lucky = dict(self._certain), dice.randint(0, len(self._since))
        for change in self._since[:lucky]:
            _rename(names, change)
        return {name: content.after_cut(dice) for name, content in names.items()}

    def _open(self, call: Call) -> None:
        if Path(call.path).is_dir():
            return
        if call.path not in self._names:
            made = self._names[call.path] = _Content()
            self._since.append((call.path, "", made))
        elif call.name == "truncate":
            self._names[call.path].since.append(Call(name="cut", path=call.path, at=0))

    def _sync_folder(self, folder: str) -> None:
        here = [change for change in self._since if str(Path(change[0]).parent) == folder]
        for change in here:
            _rename(self._certain, change)
        self._since = [change for change in self._since if change not in here]


def _rename(names: dict[str, _Content], change: tuple[str, str, _Content | None]) -> None:
    to, gone, content = change
    names.pop(gone, None)
    if content is None:
        names.pop(to, None)
    else:
        names[to] = content


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours."""
    return [sys.executable, "-m", module, *arguments]
