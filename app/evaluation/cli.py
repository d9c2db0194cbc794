"""``fairlock evaluate FOLDER``: how right and how cheap the detectors are on recordings whose truth is known."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.contract.errors import FairlockError, UserFacing
from app.contract.legible import legible
from app.contract.policy import Detection
from app.evaluation.layout import lonely, recordings
from app.evaluation.options import HOLD_S, options, policy_named
from app.evaluation.replay import UNREADABLE, Player, Replay
from app.evaluation.result import Chosen, Result, conclude
from app.evaluation.text_report import text_report
from app.evaluation.truth import Medium, Recording
from app.evaluation.writing import reports_asked, show, try_places, write_reports
from app.models.fetch import obtain
from detectors.build import Detectors, build, wanted
from detectors.catalogue import Catalogue, load_catalogue
from detectors.model import kept_models

_EVERY_S = 2.0


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code: 1 also where a recording could not be played."""
    asked = options(argv)
    reports = reports_asked(asked)
    try:
        try_places(reports)
        result = evaluate(
            asked.folder,
            policy=policy_named(asked.policy),
            hold_s=asked.hold,
            only=asked.only,
            limit=asked.limit,
            progress=_say,
        )
    except FairlockError as error:
        _say(f"{error} [{error.code}]")
        return 1
    show(text_report(result))
    written = write_reports(reports, result, _say)
    return 1 if result.chosen.unplayed or not written else 0


def evaluate(
    folder: Path,
    *,
    policy: Detection,
    hold_s: float = HOLD_S,
    only: str = "",
    limit: int | None = None,
    progress: Callable[[str], None] = lambda _sentence: None,
    fresh: Callable[[], Detectors] | None = None,
) -> Result:
    """Evaluate a folder. ``fresh`` builds detectors; by default the product's. Raises ``UserFacing``.

    An interrupt (Ctrl-C) ends the playing, and what was played so far is reported, with how many were left out.
    """
    found, only = recordings(folder), legible(only)
    chosen = _chosen(found, only, limit)
    if not chosen:
        raise UserFacing(f"Nothing in {folder} has {only!r} in its path.", advice="Check --only.", code="E-EVALUATE")
    lost = {name: "No recording of this name lies beside it." for name in lonely(folder) if only in name}
    player = Player(policy, fresh or _product(policy, progress), hold_s)
    with kept_models():
        replays, unplayed = _played(player, chosen, progress)
    return conclude(
        folder=legible(folder.as_posix() if not folder.is_absolute() else folder.name),
        policy=policy,
        hold_s=hold_s,
        models=player.built.cards,
        refused={task: str(why) for task, why in player.built.refused.items()},
        replays=sorted(replays, key=lambda one: one.recording.name),
        chosen=Chosen(
            only=only,
            limit=limit,
            unchosen=len(found) - len(chosen),
            left_out=len(chosen) - len(replays) - len(unplayed),
            unplayed=lost | unplayed,
        ),
        costs=player.costs,
    )


def _played(
    player: Player, chosen: Sequence[Recording], progress: Callable[[str], None]
) -> tuple[list[Replay], dict[str, str]]:
    """Play all; return what came out, and by name why a recording could not be played: one never ends the others."""
    replays: list[Replay] = []
    unplayed: dict[str, str] = {}
    told = time.monotonic()
    for index, recording in enumerate(chosen, 1):
        if time.monotonic() - told > _EVERY_S or recording.medium is not Medium.PICTURE:
            progress(f"{index} of {len(chosen)}: {recording.name}")
            told = time.monotonic()
        try:
            replays.append(player.play(recording))
        except UserFacing as refusal:
            if refusal.code != UNREADABLE:
                raise
            unplayed[recording.name] = str(refusal).replace(str(recording.path), recording.name)
            progress(str(refusal))
        except KeyboardInterrupt:
            if not replays:
                raise
            progress("Stopped; the report is about what was played so far.")
            break
    return replays, unplayed


def _chosen(found: Sequence[Recording], only: str, limit: int | None) -> list[Recording]:
    counts: dict[str, int] = {}
    chosen = []
    for one in found:
        folder = one.name.rpartition("/")[0]
        if only in one.name and (limit is None or counts.get(folder, 0) < limit):
            counts[folder] = counts.get(folder, 0) + 1
            chosen.append(one)
    # What moves or sounds comes first: whoever stops early has most of what counts.
    return sorted(chosen, key=lambda one: one.medium is Medium.PICTURE)


def _product(policy: Detection, progress: Callable[[str], None]) -> Callable[[], Detectors]:
    """Return what builds the product's detectors, from the models on this machine."""
    if not wanted(policy):
        raise UserFacing(
            "By this policy nothing looks and nothing listens (loud noises are told from voices only with speech on).",
            advice="Switch on objects, faces or speech in it.",
            code="E-EVALUATE",
        )
    catalogue = load_catalogue()
    files = _models(policy, catalogue, progress)
    return lambda: build(policy, files, catalogue)


def _models(policy: Detection, catalogue: Catalogue, progress: Callable[[str], None]) -> Mapping[str, Path]:
    files: dict[str, Path] = {}
    for task in wanted(policy):
        try:
            found = obtain(progress=progress, offline=True, tasks=(task,), catalogue=catalogue)
        except UserFacing as refusal:
            progress(str(refusal))
            continue
        files.update({model.card.name: model.path for model in found.values()})
    if not files:
        raise UserFacing("There is no model on this machine.", advice="Run fairlock models --fetch.", code="E-EVALUATE")
    return files


def _say(sentence: str) -> None:
    sys.stderr.write(legible(sentence) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
