"""Writes a session's evidence as a folder or as a zip archive, segment by segment, never all in memory."""

import shutil
import zipfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from app.contract import schema
from app.contract.sealing.archive import GRANTS_NAME
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.grants import Grants
from server.context import Context
from server.exams import grants, losses
from server.exams import manifest as manifests
from server.storage.base import Place, SegmentStore

BLOCK = 256 * 1024
# Zip can't say anything before 1980, and the time of the export is not part of the evidence.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def name_of(place: Place) -> str:
    """Return the file name inside an export; the same as ``evidence.segment_name`` of the record."""
    return f"segments/{place.epoch}-{place.track}-{place.sequence}.fls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What goes into an export; ``segments`` are those that are there, with their bytes."""

    manifest: Manifest
    grants: Grants
    segments: dict[Place, int]


def gather(context: Context, session: str) -> Gathered:
    """Return everything signed and the segments that are there; a lost one is an incident in the manifest."""
    # First: a running session's later manifest then holds every record that a grant speaks of.
    granted = grants.gather(context, session)
    _manifest, places = manifests.gather(context, session)
    there = losses.present(context, session, places)
    return Gathered(manifest=manifests.gather(context, session)[0], grants=granted, segments=there)


def zipped(store: SegmentStore, gathered: Gathered) -> Generator[bytes, None, None]:
    """Yield the bytes of the archive; evidence is sealed and does not get smaller, so nothing is compressed."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("manifest.json", _EPOCH), schema.dumps(gathered.manifest))
        if gathered.grants.grants:
            archive.writestr(zipfile.ZipInfo(GRANTS_NAME, _EPOCH), schema.dumps(gathered.grants))
        for place, size in gathered.segments.items():
            entry = zipfile.ZipInfo(name_of(place), _EPOCH)
            entry.file_size = size
            with store.open(place) as source, archive.open(entry, "w") as target:
                while block := source.read(BLOCK):
                    target.write(block)
                    yield sink.take()
    yield sink.take()


def to_folder(store: SegmentStore, gathered: Gathered, folder: Path) -> None:
    """Write the export as a folder; the manifest comes last, so that a folder with one is whole."""
    (folder / "segments").mkdir(parents=True, exist_ok=True)
    for place in gathered.segments:
        with store.open(place) as source, (folder / name_of(place)).open("wb") as target:
            shutil.copyfileobj(source, target, BLOCK)
    if gathered.grants.grants:
        (folder / GRANTS_NAME).write_bytes(schema.dumps(gathered.grants))
    (folder / "manifest.json").write_bytes(schema.dumps(gathered.manifest))


def write(context: Context, session: str, path: Path) -> int:
    """Export ``session`` to ``path``, an archive when it ends in ``.zip``; return the number of segments."""
    gathered = gather(context, session)
    if path.suffix != ".zip":
        to_folder(context.store, gathered, path)
        return len(gathered.segments)
    draft = path.with_suffix(".zip.part")
    with draft.open("wb") as file:
        for block in zipped(context.store, gathered):
            file.write(block)
    draft.replace(path)
    return len(gathered.segments)


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
