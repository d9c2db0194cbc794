"""Which recordings a folder holds and what is true about each. Reads the folder, writes nothing.

The layout is read from its structure: pictures in ``images`` with ``labels`` beside it, RTTM beside sound,
``NAME.events.csv`` beside anything, ``truth.toml`` in any folder, ``MANIFEST.tsv`` with what each file shows.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.contract.errors import UserFacing
from app.evaluation.folder import files_below, inside
from app.evaluation.truth import Event, Medium, Recording, Truth, truth_error
from app.evaluation.truth_formats import (
    UTTERANCE_PAUSE_S,
    Span,
    merged,
    read_events,
    read_rows,
    read_rttm,
    read_text,
    read_uem,
)
from app.evaluation.truth_merge import added, by_rules
from app.evaluation.truth_rules import Rule, read_rules, shipped_rules
from app.evaluation.yolo_folder import boxes_beside

MEDIA: Mapping[str, Medium] = {
    **dict.fromkeys((".mp4", ".avi", ".mkv", ".webm", ".mov", ".gif"), Medium.VIDEO),
    **dict.fromkeys((".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a"), Medium.SOUND),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp", ".bmp"), Medium.PICTURE),
}


_LIST = ".events.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """What the whole folder says: rules, the list's words by file, speech and annotated regions by file."""

    root: Path
    files: frozenset[Path]
    own: tuple[Rule, ...]
    shipped: tuple[Rule, ...]
    shows: Mapping[str, str]
    speech: Mapping[str, tuple[Span, ...]]
    regions: Mapping[str, tuple[Span, ...]]

    @property
    def called(self) -> str:
        """The last two names on the way to it: rules that ship know folders by name, also where one is the whole."""
        return "/".join(self.root.resolve().parts[-2:]).lstrip("/")


def recordings(root: Path) -> tuple[Recording, ...]:
    """Return every recording below ``root`` in order of its name. Raises ``UserFacing`` (E-EVALUATE, E-TRUTH)."""
    files = files_below(root)
    media = [path for path in files if path.suffix.lower() in MEDIA]
    if not media:
        raise UserFacing(
            f"{root} holds no recording.",
            advice="Put videos, sound or pictures there; docs/recording-kit.md describes the layout.",
            code="E-EVALUATE",
        )
    folder = _folder(root, files)
    return tuple(_recording(path, folder) for path in media)


def lonely(root: Path) -> tuple[str, ...]:
    """Return the event lists below ``root`` that lie beside no recording: somebody's truth would be lost unseen."""
    files = files_below(root)
    media = [path for path in files if path.suffix.lower() in MEDIA]
    known = {path.parent / name for path in media for name in _lists_of(path)}
    return tuple(inside(root, path) for path in files if path.name.endswith(_LIST) and path not in known)


def _lists_of(path: Path) -> tuple[str, str]:
    """Return the names that a recording's event list may have."""
    return f"{path.name}{_LIST}", f"{path.stem}{_LIST}"


def _folder(root: Path, files: Sequence[Path]) -> _Folder:
    rules = [
        rule for path in files if path.name == "truth.toml" for rule in read_rules(path, inside(root, path.parent))
    ]
    shows: dict[str, str] = {}
    speech: dict[str, tuple[Span, ...]] = {}
    regions: dict[str, tuple[Span, ...]] = {}
    for path in files:
        below = inside(root, path.parent)
        if path.name == "MANIFEST.tsv":
            shows.update({_joined(below, name): words for name, words in _manifest(path)})
        elif path.suffix.lower() == ".rttm":
            speech.update({_joined(below, name): spans for name, spans in read_rttm(path).items()})
        elif path.suffix.lower() == ".uem":
            regions.update({_joined(below, name): spans for name, spans in read_uem(path).items()})
    return _Folder(
        root=root,
        files=frozenset(files),
        own=tuple(rules),
        shipped=shipped_rules(),
        shows=shows,
        speech=speech,
        regions=regions,
    )


def _manifest(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, what it shows) of a list with these two columns; any further ones are passed over."""
    rows = read_rows(path, read_text(path).splitlines(), delimiter="\t", quoted=False)
    if not rows or not {"file", "shows"} <= set(rows[0]):
        raise truth_error(path, 1, "the columns file and shows are missing", "Name them in the first line.")
    name, shows = rows[0].index("file"), rows[0].index("shows")
    for row in rows[1:]:
        if len(row) > max(name, shows):
            yield row[name], row[shows]


def _recording(path: Path, folder: _Folder) -> Recording:
    name = inside(folder.root, path)
    digest = _digest(path)
    shows = folder.shows.get(name, "")
    rules = [rule for rule in folder.own if rule.fits(name, shows, digest)] or [
        rule for rule in folder.shipped if rule.fits(f"{folder.called}/{name}", shows, digest)
    ]
    truth = by_rules(rules, shows)
    try:
        boxes = boxes_beside(path, rules, folder.root)
    except OSError as error:
        why = f"what its boxes are can't be read ({error.strerror})"
        raise truth_error(path, None, why, "Get the right to read the folder labels.") from error
    for more in (boxes, _speech(name, folder), _events(path, folder.files)):
        truth = added(truth, more)
    return Recording(path=path, name=name, medium=MEDIA[path.suffix.lower()], truth=truth)


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file without holding it whole (videos are large); nothing where it can not be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # no rule's; playing it will say why it can't be read


def _speech(name: str, folder: _Folder) -> Truth | None:
    stem = name.rpartition(".")[0]
    spans = folder.speech.get(stem)
    if spans is None:
        return None
    spoken = merged(spans, UTTERANCE_PAUSE_S)
    return Truth(
        events=tuple(Event(thing="speech", start_s=start, end_s=end) for start, end in spoken),
        complete=frozenset({"speech"}),
        regions=folder.regions.get(stem, ()),
        made="by RTTM",
    )


def _events(path: Path, files: frozenset[Path]) -> Truth | None:
    for name in _lists_of(path):
        if (beside := path.parent / name) in files:
            events, complete = read_events(beside)
            return Truth(events=events, complete=complete, made="by event list")
    return None


def _joined(below: str, name: str) -> str:
    return f"{below}/{name}" if below else name
