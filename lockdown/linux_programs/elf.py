"""What an ELF executable is, whatever its file is called: its build id, and the bytes that are loaded from it.

Reads the headers of files that a candidate may have prepared: every size is bounded and nothing is trusted. Source:
the System V ABI (gABI), chapters 4 and 5; notes of owner "GNU" and type 3 hold the build id.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lockdown.plain_files import open_plain

_PT_LOAD, _PT_NOTE, _BUILD_ID = 1, 4, 3
_MOST_SEGMENTS, _LONGEST_NOTE = 64, 1 << 16
_CHUNK = 1 << 20
_APPIMAGE = b"AI"  # at offset 8: a loader, the same in all of them, with the program behind it
UNLOADED = 1 << 16
"""Bytes. A file with more than this beside what is loaded carries something else: symbols, or a whole program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """``segments`` are (offset, size) of what is loaded, in bytes; ``size`` is the file's."""

    build_id: str
    segments: tuple[tuple[int, int], ...]
    size: int

    @property
    def lengths(self) -> tuple[int, ...]:
        """How much is loaded, piece by piece."""
        return tuple(size for _, size in self.segments)

    @property
    def is_whole(self) -> bool:
        """Whether what is loaded is all there is of the program.

        Not so where one loader serves many programs that are appended to it (AppImage, PyInstaller, Node, Bun).
        """
        loaded = sum(self.lengths)
        return bool(self.segments) and self.size - loaded <= UNLOADED


def read(path: Path) -> Elf | None:
    """Return what ``path`` is, or ``None`` if it is no ELF file or can't be read."""
    try:
        with open_plain(path) as file:
            return _parse(file, path.stat().st_size)
    except (OSError, struct.error, ValueError):
        return None


def loaded_digest(path: Path, elf: Elf) -> str | None:
    """Return the SHA-256 (hex) of the loaded bytes: appending to a file or stripping it does not change it."""
    digest = hashlib.sha256()
    try:
        with open_plain(path) as file:
            for offset, size in elf.segments:
                file.seek(offset)
                left = size
                while left > 0 and (chunk := file.read(min(left, _CHUNK))):
                    digest.update(chunk)
                    left -= len(chunk)
    except OSError:
        return None
    return digest.hexdigest()


def _parse(file: BinaryIO, size: int) -> Elf | None:
    ident = file.read(16)
    if len(ident) < 16 or ident[:4] != b"\x7fELF" or ident[8:10] == _APPIMAGE:
        return None
    order, wide = "<" if ident[5] == 1 else ">", ident[4] == 2
    table, entry, count = _program_headers(file, order, wide=wide)
    build_id, segments = "", []
    for number in range(min(count, _MOST_SEGMENTS)):
        file.seek(table + number * entry)
        kind, offset, length = _segment(file.read(entry), order, wide=wide)
        if kind == _PT_LOAD and length and offset + length <= size:
            segments.append((offset, length))
        elif kind == _PT_NOTE and not build_id:
            file.seek(offset)
            build_id = _build_id(file.read(min(length, _LONGEST_NOTE)), order)
    return Elf(build_id=build_id, segments=tuple(segments), size=size)


def _program_headers(file: BinaryIO, order: str, *, wide: bool) -> tuple[int, int, int]:
    """Return offset, size of an entry, and number of entries."""
    file.seek(0)
    header = file.read(64)
    if wide:
        (table,) = struct.unpack_from(f"{order}Q", header, 32)
        entry, count = struct.unpack_from(f"{order}HH", header, 54)
    else:
        (table,) = struct.unpack_from(f"{order}I", header, 28)
        entry, count = struct.unpack_from(f"{order}HH", header, 42)
    return table, entry, count


def _segment(header: bytes, order: str, *, wide: bool) -> tuple[int, int, int]:
    """Return type, offset and size in the file."""
    if wide:
        kind, _, offset, _, _, length = struct.unpack_from(f"{order}IIQQQQ", header)
    else:
        kind, offset, _, _, length = struct.unpack_from(f"{order}IIIII", header)
    return kind, offset, length


def _build_id(notes: bytes, order: str) -> str:
    """Return the build id (hex) among the notes of one segment, or an empty text."""
    at = 0
    while at + 12 <= len(notes):
        owner, length, kind = struct.unpack_from(f"{order}III", notes, at)
        name = notes[at + 12 : at + 12 + owner]
        at += 12 + _aligned(owner)
        if kind == _BUILD_ID and name == b"GNU\0":
            return notes[at : at + length].hex()
        at += _aligned(length)
    return ""


def _aligned(size: int) -> int:
    return (size + 3) & ~3
