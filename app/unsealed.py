"""The files of an opened session: each track's recording, the journal, the pictures. Writes only below its folder.

Runs in the process of ``fairlock open ARCHIVE``. A recording is the very bytes that were sealed, joined: an
initialisation segment and the fragments after it, whose times are the session's. Where the recording changed in kind (a
new start of the application may bring another camera) a new file begins. Whatever an export says, one segment is in
memory and one file of each track open at a time, and none is written twice.
"""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from app.contract.canonical import Json
from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import Track
from app.contract.journal import decode_entries, decode_picture
from app.contract.sealing.evidence import segment_name
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment
from app.unfinished_folder import UnfinishedFolder

ENDINGS = {"video/mp4": ".mp4", "audio/mp4": ".m4a", "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
REPEATED = "repeated"


@dataclass(slots=True, kw_only=True)
class Recording:
    """One file of a track: where it lies on the session's timeline, and of how many segments it was joined."""

    file: str
    track: str
    from_ms: int
    to_ms: int
    segments: int = 0


class Unsealed:
    """Writes what is opened of ``session`` into ``folder``; a context manager. ``look`` is a ``verify.OnSegment``.

    The files are there once the block ended well, and none of them otherwise. ``written`` names the segments that went
    into them, ``left_out`` counts those that did not, by name and reason, though each by itself is sound; ``unread``
    names what was opened but does not hold what its track should. Raises ``UserFacing``, from any method, when the
    folder is not empty or can't be written to.
    """

    def __init__(self, folder: Path, session: str) -> None:
        self.recordings: list[Recording] = []
        self.unread: list[str] = []
        self.written: set[str] = set()
        self.left_out: Counter[tuple[str, str]] = Counter()
        self.entries = self.pictures = 0
        self._session = session
        self._numbers: Counter[Track] = Counter()
        self._files: dict[Track, tuple[bytes, BinaryIO, Recording]] = {}
        self._pictures: list[dict[str, Json]] = []
        self._place = UnfinishedFolder(folder)
        self._folder = self._place.path
        with self._place.writing():
            self._journal: TextIO = (self._folder / "journal.json").open("w", encoding="utf-8")

    def __enter__(self) -> "Unsealed":
        self._journal.write("[")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException:
            kind = BaseException
            raise
        finally:
            if kind is not None:
                with suppress(OSError):
                    self._close()
                self._place.remove()

    def _finish(self) -> None:
        with self._place.writing():
            self._journal.write("\n]\n")
            self._close()
        if self._pictures:
            self.write_json("pictures.json", self._pictures)
        self._place.finish()

    def _close(self) -> None:
        with ExitStack() as closing:  # closes each, even when another one's last bytes find no room
            closing.callback(self._journal.close)
            for _head, file, _recording in self._files.values():
                closing.callback(file.close)

    def look(self, record: Record, opened: OpenedSegment | None) -> None:
        """Write what one segment holds; nothing when it was not opened, has a fault, is foreign or already written."""
        if opened is None or not opened.sound:
            return
        name = segment_name(record)
        if record.session != self._session:
            self.left_out[name, Outcome.RECORD_MISMATCH] += 1
            return
        if name in self.written:
            self.left_out[name, REPEATED] += 1
            return
        self.written.add(name)
        try:
            with self._place.writing():
                self._write(record, opened)
        except IntegrityError:
            self.unread.append(name)

    def write_json(self, name: str, value: object) -> None:
        """Write ``name`` into the folder."""
        text = json.dumps(value, indent=2, ensure_ascii=False)
        with self._place.writing():
            (self._folder / name).write_text(text + "\n", encoding="utf-8")

    def summary(self) -> Mapping[str, object]:
        """Return what was written, for ``report.json``."""
        return {
            "recordings": [asdict(one) for one in self.recordings],
            "journal_entries": self.entries,
            "pictures": self.pictures,
            "unread": self.unread,
        }

    def _write(self, record: Record, opened: OpenedSegment) -> None:
        if record.track is Track.JOURNAL:
            self._add_entries(opened)
        elif record.track is Track.PICTURES:
            self._add_pictures(opened)
        else:
            self._add_media(record, opened)

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
        if record.track in self._files:
            self._files[record.track][1].close()
        self._numbers[record.track] = number = self._numbers[record.track] + 1
        ending = ENDINGS.get(mime.partition(";")[0], ".bin")
        name = f"{record.track}{f'-{number}' if number > 1 else ''}{ending}"
        file = (self._folder / name).open("wb")
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
