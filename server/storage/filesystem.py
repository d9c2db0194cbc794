"""Segments as files, where ``path_of`` says, published by a link and fsync, or by fsync and rename."""

from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from server.storage.base import StorageFull, Stored, folder_of, path_of
from server.storage.drafts import Draft, Drafts, full
from server.storage.shredding import shred
from server.synced import sync_file, sync_folder


class FileStore:
    """A store in two folders of one file system: ``sessions`` and ``incoming``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "sessions").mkdir(mode=0o700, parents=True, exist_ok=True)
        self._drafts = Drafts(folder / "incoming")

    def begin(self, place: Stored) -> "FileUpload":
        """Start an upload; raises ``StorageFull``."""
        return FileUpload(self._drafts.begin(), self._folder / path_of(place))

    def open(self, place: Stored) -> BinaryIO:
        """Open a segment for reading; raises ``FileNotFoundError``."""
        return (self._folder / path_of(place)).open("rb")

    def size(self, place: Stored) -> int:
        """Return a segment's length in bytes; raises ``FileNotFoundError``."""
        return (self._folder / path_of(place)).stat().st_size

    def held(self, session: str) -> dict[str, int]:
        """Return all that lies in a session's folder, as ``path_of`` names it, with its bytes."""
        folder = folder_of(session)
        held: dict[str, int] = {}
        try:
            paths = list((self._folder / folder).iterdir())
        except FileNotFoundError:
            return {}
        for path in paths:
            with suppress(FileNotFoundError):  # deleted meanwhile
                held[f"{folder}/{path.name}"] = path.stat().st_size
        return held

    def delete(self, place: Stored) -> None:
        """Delete a segment; harmless when it is not there."""
        (self._folder / path_of(place)).unlink(missing_ok=True)

    def shred(self, session: str, head: int) -> None:
        """Overwrite each file, of segments the first ``head`` bytes, put that on the disk, then delete them all.

        Whatever lies there goes, also what the server did not lay there. Raises ``StorageFull`` when something stays,
        after all else is gone.
        """
        folder = self._folder / folder_of(session)
        stubborn: OSError | None = None
        # The deepest first, so that a folder is empty when its turn comes.
        for path in sorted((*folder.rglob("*"), folder), key=lambda path: len(path.parts), reverse=True):
            try:
                shred(path, head)
            except FileNotFoundError:
                continue
            except OSError as error:
                stubborn = stubborn or error
        if stubborn:
            raise StorageFull(f"a session can't be deleted: {stubborn.strerror}", after_s=3_600) from stubborn


class FileUpload:
    """One file on its way to ``target``."""

    def __init__(self, draft: Draft, target: Path) -> None:
        self._draft, self._target = draft, target

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes; raises ``StorageFull``."""
        self._draft.write(data)

    def finish(self) -> tuple[int, bytes]:
        """Return size and SHA-256; raises ``StorageFull``."""
        self._draft.close()
        return self._draft.size, self._draft.digest

    def publish(self) -> None:
        """Give the file its name, and put both onto the disk."""
        folder = self._target.parent
        try:
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
                sync_folder(folder.parent)
            self._name()
            sync_folder(folder)
        except OSError as error:
            raise full(error) from error

    def _name(self) -> None:
        """Link and sync; in this order a journaling file system writes file and name in one go and not in two.

        Until then nobody looks at that name, but if something lies there, it may be on the disk and somebody's receipt
        may speak of it: then the file that replaces it is synced first.
        """
        try:
            self._target.hardlink_to(self._draft.path)
        except OSError:  # it is there, or this file system knows no links
            self._draft.sync()
            self._draft.path.replace(self._target)
        else:
            sync_file(self._target)  # by this name: the draft's may be gone, a server that starts takes it (``Drafts``)

    def discard(self) -> None:
        """Close and remove the file; harmless after ``publish``."""
        self._draft.discard()
