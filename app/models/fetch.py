"""Obtain the model files: for each task the best one that can be had, checked, and kept for the next start.

Owns the choice between models and the refusal of files with a wrong sha256. Called before a session starts (set-up,
check screen, ``fairlock models``), in the caller's thread; never while an exam runs.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app import paths
from app.contract.errors import FairlockError, UserFacing
from app.models.download import Downloader
from app.models.sources import FOLDER_VARIABLE, Addresses, Package, Source, local_sources
from detectors.catalogue import Catalogue, Grade, ModelCard, Task, load_catalogue

DISPENSABLE = frozenset({Task.CLOSER, Task.LANDMARKS})
"""Tasks that an exam does without where no place has a model; no package of the registry carries one for them."""
_WITHOUT = {
    Task.CLOSER: "Without it the model of the first look makes the closer ones, which takes longer.",
    Task.LANDMARKS: "Without it nobody notices where the head is turned.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObtainedModel:
    """A model file that is here and has the right sha256. ``origin`` names the place it came from, for people."""

    card: ModelCard
    path: Path
    origin: str


def default_folder() -> Path:
    """Return the folder in which accepted files are kept; it can also serve as ``FAIRLOCK_MODELS``."""
    return paths.cache_dir() / "models"


def obtain(
    *,
    progress: Callable[[str], None],
    folder: Path | None = None,
    offline: bool = False,
    improve: bool = False,
    tasks: Iterable[Task] | None = None,
    catalogue: Catalogue | None = None,
) -> dict[Task, ObtainedModel]:
    """Return the best obtainable model for each of ``tasks``; by default for all, as far as they are indispensable.

    Places on this machine come first: the best model that lies there is taken without asking the network. Where none
    does, the release address is asked and then the registry's packages. ``improve`` asks the network as well where
    only a model of demonstration grade is here; ``offline`` never asks it. What is taken is copied into ``folder``.
    ``progress`` gets sentences. Raises ``UserFacing``: E-MODEL-MISSING says what was tried, E-MODEL-CACHE that
    ``folder`` can't be written.
    """
    folder = folder or default_folder()
    _make(folder)
    catalogue = catalogue or load_catalogue()
    local = local_sources(folder)
    obtained: dict[Task, ObtainedModel] = {}
    with contextlib.ExitStack() as stack:
        downloader = Downloader()
        stack.callback(downloader.close)
        remote: Sequence[Source] = () if offline else (Addresses(downloader), Package(progress))
        for task in tuple(Task) if tasks is None else tasks:
            cards = catalogue.for_task(task)
            search = _Search(folder, progress)
            found = search.find(cards, local, remote, improve=improve)
            if found is not None:
                obtained[task] = found
            elif tasks is None and task in DISPENSABLE:
                progress(str(_missing(task, cards, search.reasons)))
            else:
                raise _missing(task, cards, search.reasons)
    return obtained


def is_genuine(card: ModelCard, data: bytes) -> bool:
    """Whether ``data`` is the very file that the catalogue names."""
    return hashlib.sha256(data).hexdigest() == card.sha256


class _Search:
    """One task's search; ``reasons`` collects why places did not serve."""

    def __init__(self, folder: Path, progress: Callable[[str], None]) -> None:
        self._folder = folder
        self._progress = progress
        self.reasons: list[str] = []

    def find(
        self, cards: Sequence[ModelCard], local: Sequence[Source], remote: Sequence[Source], *, improve: bool
    ) -> ObtainedModel | None:
        """Return what ``local`` yields, else what ``remote`` does; ``improve`` looks there for a better one as well."""
        found = self.best(cards, local)
        if found is None:
            return self.best(cards, remote)
        if improve and found.card.grade is Grade.DEMONSTRATION:
            return self.best(cards[: cards.index(found.card)], remote) or found
        return found

    def best(self, cards: Sequence[ModelCard], sources: Sequence[Source]) -> ObtainedModel | None:
        """Return the first of ``cards`` (best first) that one of ``sources`` (in order) yields."""
        for card in cards:
            for source in sources:
                if (data := self._read(card, source)) is not None:
                    return ObtainedModel(card=card, path=_keep(self._folder, card, data), origin=source.name)
        return None

    def _read(self, card: ModelCard, source: Source) -> bytes | None:
        try:
            data = source.read(card)
        except FairlockError as error:
            self.reasons.append(f"{card.name} from {source.name}: {error}")
            return None
        if data is None:
            return None
        if not is_genuine(card, data):
            refusal = f"{card.file} from {source.name} has a wrong sha256 and was refused."
            self.reasons.append(refusal)
            self._progress(refusal)
            return None
        return data


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file is there" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise UserFacing(
            f"{folder} can't be the folder for models ({reason}).",
            advice="Name a folder that Fairlock may write in.",
            code="E-MODEL-CACHE",
        ) from error


def _keep(folder: Path, card: ModelCard, data: bytes) -> Path:
    """Write an accepted file into the cache in one step, so that a crash leaves no half file."""
    target = folder / card.file
    try:
        if target.is_file() and is_genuine(card, target.read_bytes()):
            return target
        partial = target.with_suffix(f".{os.getpid()}.part")
        partial.write_bytes(data)
        partial.replace(target)
    except OSError as error:
        raise UserFacing(
            f"The model {card.name} can't be stored in {folder} ({error.strerror}).",
            advice="Free some disk space or let Fairlock write there.",
            code="E-MODEL-CACHE",
        ) from error
    return target


def _missing(task: Task, cards: Sequence[ModelCard], reasons: Sequence[str]) -> UserFacing:
    names = ", ".join(card.file for card in cards)
    tried = " ".join(dict.fromkeys(reasons)) or "No place on this machine has one."
    without = f" {_WITHOUT[task]}" if task in _WITHOUT else ""
    return UserFacing(
        f"No model for {task.value} could be obtained.{without} {tried}",
        advice=f"Connect to the internet, or put one of {names} into a folder and name it in {FOLDER_VARIABLE}.",
        code="E-MODEL-MISSING",
    )
