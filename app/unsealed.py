"""The files of an opened session: each track's recording, the journal, the pictures. Writes only below its folder.

Runs in the process of ``fairlock open ARCHIVE``. A recording is the very bytes that were sealed, joined: an
initialisation segment and the fragments after it, whose times are the session's. Where the recording changed in kind (a
new start of the application may bring another camera) a new file begins. Holds one segment in memory at a time.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from app.contract.canonical import Json
from app.contract.errors import IntegrityError, UserFacing
from app.contract.incidents import Track
from app.contract.journal import decode_entries, decode_picture
from app.contract.sealing.evidence import segment_name
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment

ENDINGS = {"video/mp4": ".mp4", "audio/mp4": ".m4a", "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


@dataclass(slots=True, kw_only=True)
class Recording:
    """One file of a track: where it lies on the session's timeline, and of how many segments it was joined."""

    file: str
    track: str
    from_ms: int
    to_ms: int
    segments: int = 0


class Unsealed:
    """Writes what is opened into ``folder``; a context manager. ``look`` is a ``verify.OnSegment``.

    ``unread`` names what was opened but does not hold what its track should. Raises ``UserFacing`` when the folder is
    not empty or can't be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.recordings: list[Recording] = []
        self.unread: list[str] = []
        self.entries = self.pictures = 0
        self._folder = folder
        self._open = ExitStack()
        self._files: dict[Track, tuple[bytes, BinaryIO, Recording]] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            taken = any(folder.iterdir())
        except OSError as error:
            raise _unwritable(folder, error) from error
        if taken:
            raise UserFacing(
                f"The folder {folder} is not empty.", advice="Name a new folder with --out.", code="E-OUT-FOLDER"
            )
        self._journal: TextIO = self._open.enter_context((folder / "journal.json").open("w", encoding="utf-8"))
        self._pictures: list[dict[str, Json]] = []

    def __enter__(self) -> "Unsealed":
        self._journal.write("[")
        return self

    def __exit__(self, *_error: object) -> None:
        self._journal.write("\n]\n")
        self._open.close()
        if self._pictures:
            self.write_json("pictures.json", self._pictures)

    def look(self, record: Record, opened: OpenedSegment | None) -> None:
        """Write what one segment holds; nothing when it was not opened. Raises ``UserFacing`` when the disk is full."""
        if opened is None:
            return
        try:
            if record.track is Track.JOURNAL:
                self._add_entries(opened)
            elif record.track is Track.PICTURES:
                self._add_pictures(opened)
            else:
                self._add_media(record, opened)
        except IntegrityError:
            self.unread.append(segment_name(record))
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def write_json(self, name: str, value: object) -> None:
        """Write ``name`` into the folder."""
        text = json.dumps(value, indent=2, ensure_ascii=False)
        (self._folder / name).write_text(text + "\n", encoding="utf-8")

    def summary(self) -> Mapping[str, object]:
        """Return what was written, for ``report.json``."""
        return {
            "recordings": [asdict(one) for one in self.recordings],
            "journal_entries": self.entries,
            "pictures": self.pictures,
            "unread": self.unread,
        }

    def _add_media(self, record: Record, opened: OpenedSegment) -> None:
        head, *rest = opened.fragments or (b"",)
        if not head:
            return
        known = self._files.get(record.track)
        if known is None or known[0] != head:
            known = self._begin(record, opened.header.mime, head)
        _head, file, recording = known
        file.write(b"".join(rest))
        recording.to_ms = max(recording.to_ms, record.start_ms + record.duration_ms)
        recording.segments += 1

    def _begin(self, record: Record, mime: str, head: bytes) -> tuple[bytes, BinaryIO, Recording]:
        number = 1 + sum(one.track == record.track for one in self.recordings)
        ending = ENDINGS.get(mime.partition(";")[0], ".bin")
        name = f"{record.track}{f'-{number}' if number > 1 else ''}{ending}"
        file = self._open.enter_context((self._folder / name).open("wb"))
        file.write(head)
        recording = Recording(file=name, track=record.track, from_ms=record.start_ms, to_ms=record.start_ms)
        self.recordings.append(recording)
        self._files[record.track] = (head, file, recording)
        return self._files[record.track]

    def _add_entries(self, opened: OpenedSegment) -> None:
        for fragment in opened.fragments:
            for entry in decode_entries(fragment):
                self._journal.write("," if self.entries else "")
                self._journal.write("\n" + json.dumps(asdict(entry), ensure_ascii=False))
                self.entries += 1

    def _add_pictures(self, opened: OpenedSegment) -> None:
        for fragment in opened.fragments:
            if not fragment:
                continue
            meta, image = decode_picture(fragment)
            self.pictures += 1
            # Numbers of our own: what evidence says must name no file.
            name = f"pictures/{self.pictures:05}{ENDINGS.get(meta.mime, '.bin')}"
            (self._folder / "pictures").mkdir(mode=0o700, exist_ok=True)
            (self._folder / name).write_bytes(image)
            self._pictures.append({"file": name, "incident": meta.incident, "at_ms": meta.at_ms})


def _unwritable(folder: Path, error: OSError) -> UserFacing:
    return UserFacing(
        f"The folder {folder} can't be written to ({error.strerror}).",
        advice="Name another folder with --out, on a disk with room.",
        code="E-OUT-FOLDER",
    )
