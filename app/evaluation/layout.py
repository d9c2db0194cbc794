"""Which recordings a folder holds and what is true about each. Reads the folder, writes nothing.

The layout is read from its structure: pictures in ``images`` with ``labels`` beside it, RTTM beside sound,
``NAME.events.csv`` beside anything, ``truth.toml`` in any folder, ``MANIFEST.tsv`` with what each file shows.
"""

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.contract.errors import UserFacing
from app.evaluation.truth import TOLERANCE_S, Event, Medium, Recording, Truth, truth_error
from app.evaluation.truth_formats import (
    UTTERANCE_PAUSE_S,
    Span,
    merged,
    read_events,
    read_rttm,
    read_text,
    read_uem,
)
from app.evaluation.truth_rules import Rule, read_rules, shipped_rules
from app.evaluation.yolo_folder import boxes_beside

MEDIA: Mapping[str, Medium] = {
    **dict.fromkeys((".mp4", ".avi", ".mkv", ".webm", ".mov", ".gif"), Medium.VIDEO),
    **dict.fromkeys((".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a"), Medium.SOUND),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp", ".bmp"), Medium.PICTURE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """What the whole folder says: rules, the list's words by file, speech and annotated regions by file."""

    root: Path
    own: tuple[Rule, ...]
    shipped: tuple[Rule, ...]
    shows: Mapping[str, str]
    speech: Mapping[str, tuple[Span, ...]]
    regions: Mapping[str, tuple[Span, ...]]


def recordings(root: Path) -> tuple[Recording, ...]:
    """Return every recording below ``root`` in order of its name. Raises ``UserFacing`` (E-EVALUATE, E-TRUTH)."""
    if not root.is_dir():
        raise UserFacing(f"{root} is not a folder.", advice="Name a folder of recordings.", code="E-EVALUATE")
    files = sorted(path for path in root.rglob("*") if path.is_file())
    media = [path for path in files if path.suffix.lower() in MEDIA]
    if not media:
        raise UserFacing(
            f"{root} holds no recording.",
            advice="Put videos, sound or pictures there; docs/recording-kit.md describes the layout.",
            code="E-EVALUATE",
        )
    folder = _folder(root, files)
    return tuple(_recording(path, folder) for path in media)


def _folder(root: Path, files: Sequence[Path]) -> _Folder:
    rules = [
        rule for path in files if path.name == "truth.toml" for rule in read_rules(path, _inside(root, path.parent))
    ]
    shows: dict[str, str] = {}
    speech: dict[str, tuple[Span, ...]] = {}
    regions: dict[str, tuple[Span, ...]] = {}
    for path in files:
        below = _inside(root, path.parent)
        if path.name == "MANIFEST.tsv":
            shows.update({_joined(below, name): words for name, words in _manifest(path)})
        elif path.suffix.lower() == ".rttm":
            speech.update({_joined(below, name): spans for name, spans in read_rttm(path).items()})
        elif path.suffix.lower() == ".uem":
            regions.update({_joined(below, name): spans for name, spans in read_uem(path).items()})
    return _Folder(root=root, own=tuple(rules), shipped=shipped_rules(), shows=shows, speech=speech, regions=regions)


def _manifest(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, what it shows) of a list with these two columns; any further ones are passed over."""
    rows = list(csv.reader(read_text(path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or not {"file", "shows"} <= set(rows[0]):
        raise truth_error(path, 1, "the columns file and shows are missing", "Name them in the first line.")
    name, shows = rows[0].index("file"), rows[0].index("shows")
    for row in rows[1:]:
        if len(row) > max(name, shows):
            yield row[name], row[shows]


def _recording(path: Path, folder: _Folder) -> Recording:
    name = _inside(folder.root, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    shows = folder.shows.get(name, "")
    rules = [rule for rule in folder.own if rule.fits(name, shows, digest)] or [
        rule for rule in folder.shipped if rule.fits(name, shows, digest)
    ]
    truth = _by_rules(rules, shows)
    for more in (boxes_beside(path, rules), _speech(name, folder), _events(path)):
        truth = _added(truth, more)
    return Recording(path=path, name=name, medium=MEDIA[path.suffix.lower()], truth=truth)


def _by_rules(rules: Sequence[Rule], shows: str) -> Truth:
    groups: dict[str, str] = {}
    for rule in rules:
        groups |= rule.groups
    return Truth(
        events=_most_exact(rules, shows),
        complete=frozenset().union(*(rule.complete for rule in rules)),
        name=_last(rule.name for rule in rules),
        groups=groups,
        tolerance_s=min((rule.tolerance_s for rule in rules if rule.tolerance_s is not None), default=TOLERANCE_S),
        size=next((rule.size for rule in rules if rule.size is not None), None),
        synthetic=any(rule.synthetic for rule in rules),
        made="; ".join(dict.fromkeys(rule.made for rule in rules if rule.made)),
        note=_last(rule.note for rule in rules),
    )


def _most_exact(rules: Sequence[Rule], shows: str) -> tuple[Event, ...]:
    """Return the events of all rules, for each thing from the most exact kind of rule; what two say alike is one."""
    told = [(rule.exactness, event) for rule in rules for event in rule.told(shows)]
    best = {thing: max(rank for rank, event in told if event.thing == thing) for thing in {e.thing for _, e in told}}
    return tuple(
        {(event.thing, event.start_s, event.end_s): event for rank, event in told if rank == best[event.thing]}.values()
    )


def _added(truth: Truth, more: Truth | None) -> Truth:
    """Return ``truth`` with what a file of its own says, which is exact: rules say nothing about the same things."""
    if more is None:
        return truth
    told = more.complete | {event.thing for event in more.events}
    return Truth(
        events=(*(event for event in truth.events if event.thing not in told), *more.events),
        complete=truth.complete | more.complete,
        held=more.held or truth.held,
        name=truth.name or more.name,
        groups=truth.groups,
        regions=more.regions or truth.regions,
        tolerance_s=truth.tolerance_s,
        size=truth.size,
        synthetic=truth.synthetic,
        made="; ".join(made for made in (truth.made, more.made) if made),
        note=truth.note,
    )


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


def _events(path: Path) -> Truth | None:
    for beside in (path.with_name(f"{path.name}.events.csv"), path.with_name(f"{path.stem}.events.csv")):
        if beside.is_file():
            events, complete = read_events(beside)
            return Truth(events=events, complete=complete, made="by event list")
    return None


def _inside(root: Path, path: Path) -> str:
    name = path.relative_to(root).as_posix()
    return "" if name == "." else name


def _joined(below: str, name: str) -> str:
    return f"{below}/{name}" if below else name


def _last(texts: Iterator[str]) -> str:
    """Return the last text that says something: a later rule is the more exact one."""
    return next((text for text in reversed(list(texts)) if text), "")
