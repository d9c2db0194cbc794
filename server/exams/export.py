"""Writes a session's evidence as a folder or as a zip archive, segment by segment, never all in memory."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from app.contract import schema
from app.contract.sealing.evidence import Manifest
from server.context import Context
from server.exams import losses
from server.exams import manifest as manifests
from server.storage.base import Place, SegmentStore

BLOCK = 256 * 1024
# Zip can't say anything before 1980, and the time of the export is not part of the evidence.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def name_of(place: Place) -> str:
    """Return the file name inside an export; the same as ``evidence.segment_name`` of the record."""
    return f"segments/{place.epoch}-{place.track}-{place.sequence}.fls"


def gather(context: Context, session: str) -> tuple[Manifest, list[Place]]:
    """Return the manifest of everything signed and the segments that are there; a lost one is an incident in it."""
    _manifest, places = manifests.gather(context, session)
    places = losses.present(context, places)
    return manifests.gather(context, session)[0], places


def zipped(store: SegmentStore, manifest: Manifest, places: list[Place]) -> Iterator[bytes]:
    """Yield the bytes of the archive; evidence is sealed and does not get smaller, so nothing is compressed."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("manifest.json", _EPOCH), schema.dumps(manifest))
        for place in places:
            entry = zipfile.ZipInfo(name_of(place), _EPOCH)
            entry.file_size = store.size(place)
            with store.open(place) as source, archive.open(entry, "w") as target:
                while block := source.read(BLOCK):
                    target.write(block)
                    yield sink.take()
    yield sink.take()


def to_folder(store: SegmentStore, manifest: Manifest, places: list[Place], folder: Path) -> None:
    """Write the export as a folder; the manifest comes last, so that a folder with one is whole."""
    (folder / "segments").mkdir(parents=True, exist_ok=True)
    for place in places:
        with store.open(place) as source, (folder / name_of(place)).open("wb") as target:
            shutil.copyfileobj(source, target, BLOCK)
    (folder / "manifest.json").write_bytes(schema.dumps(manifest))


def write(context: Context, session: str, path: Path) -> int:
    """Export ``session`` to ``path``, an archive when it ends in ``.zip``; return the number of segments."""
    manifest, places = gather(context, session)
    if path.suffix != ".zip":
        to_folder(context.store, manifest, places, path)
        return len(places)
    draft = path.with_suffix(".zip.part")
    with draft.open("wb") as file:
        for block in zipped(context.store, manifest, places):
            file.write(block)
    draft.replace(path)
    return len(places)


class _Sink:
    """Where the archive writes to: collects bytes until they are taken. Not seekable, as an HTTP answer is not."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        """Take bytes in."""
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do: ``take`` is asked for."""

    def close(self) -> None:
        """Nothing to do: there is no file."""

    def take(self) -> bytes:
        """Hand the bytes over."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data
