"""``fairlock evaluate FOLDER``: how right and how cheap the detectors are on recordings whose truth is known."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.contract import schema
from app.contract.errors import FairlockError, UserFacing
from app.contract.policy import Detection
from app.evaluation.accuracy_document import accuracy_document
from app.evaluation.goals import measuring_policy
from app.evaluation.html_report import html_report
from app.evaluation.json_report import json_report
from app.evaluation.layout import recordings
from app.evaluation.replay import Player
from app.evaluation.result import Result, conclude
from app.evaluation.text_report import text_report
from app.evaluation.truth import Medium, Recording
from app.models.fetch import obtain
from detectors.build import Detectors, build, wanted
from detectors.catalogue import Catalogue, load_catalogue
from detectors.model import kept_models

_EVERY_S = 2.0


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    options = _options(argv)
    try:
        result = evaluate(
            options.folder,
            policy=_policy(options.policy),
            hold_s=options.hold,
            only=options.only,
            limit=options.limit,
            progress=_say,
        )
        _write(result, options)
    except FairlockError as error:
        sys.stderr.write(f"{error} [{error.code}]\n")
        return 1
    sys.stdout.write(text_report(result))
    return 0


def _write(result: Result, options: argparse.Namespace) -> None:
    """Write what the options name. Raises ``UserFacing`` (E-EVALUATE)."""
    targets: dict[Path, str] = {}
    if options.json is not None:
        targets[options.json] = json_report(result)
    if options.report is not None:
        targets[options.report / "report.html"] = html_report(result)
        targets[options.report / "report.json"] = json_report(result)
    if options.write_docs is not None:
        where = options.write_docs.name if options.write_docs.is_absolute() else options.write_docs.as_posix()
        command = f"fairlock evaluate {result.folder} --write-docs {where}"
        targets[options.write_docs] = accuracy_document(result, command)
    for path, text in targets.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserFacing(
                f"{path} can't be written: {error.strerror}.", advice="Name another place.", code="E-EVALUATE"
            ) from error
        _say(f"Written: {path}")


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fairlock evaluate",
        description="Run the detectors over recordings whose truth is known, and say how right they are.",
        epilog="docs/recording-kit.md describes the folder and the formats of truth.",
    )
    parser.add_argument("folder", type=Path, help="videos, sound and pictures, with their truth")
    parser.add_argument("--policy", help="JSON file with settings of `detection`, or the word default")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write a page with pictures of each fault there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")
    parser.add_argument("--write-docs", type=Path, metavar="FILE", help="write docs/accuracy.md")
    parser.add_argument("--hold", type=float, default=3.0, help="seconds for which a still picture is held (3)")
    parser.add_argument("--only", default="", help="evaluate only what has this text in its path")
    parser.add_argument("--limit", type=int, help="evaluate at most so many recordings of each folder")
    return parser.parse_args(argv)


def evaluate(
    folder: Path,
    *,
    policy: Detection,
    hold_s: float = 3.0,
    only: str = "",
    limit: int | None = None,
    progress: Callable[[str], None] = lambda _sentence: None,
    fresh: Callable[[], Detectors] | None = None,
) -> Result:
    """Evaluate a folder. ``fresh`` builds detectors; by default the product's. Raises ``UserFacing``.

    An interrupt (Ctrl-C) ends the playing, and what was played so far is reported, with how many were left out.
    """
    chosen = _chosen(recordings(folder), only, limit)
    if not chosen:
        raise UserFacing(f"Nothing in {folder} has {only!r} in its path.", advice="Check --only.", code="E-EVALUATE")
    fresh = fresh or _product(policy, progress)
    player = Player(policy, fresh, hold_s)
    replays = []
    told = time.monotonic()
    with kept_models():
        for index, recording in enumerate(chosen, 1):
            if time.monotonic() - told > _EVERY_S or recording.medium is not Medium.PICTURE:
                progress(f"{index} of {len(chosen)}: {recording.name}")
                told = time.monotonic()
            try:
                replays.append(player.play(recording))
            except KeyboardInterrupt:
                if not replays:
                    raise
                progress("Stopped; the report is about what was played so far.")
                break
    return conclude(
        folder=folder.as_posix() if not folder.is_absolute() else folder.name,
        policy=policy,
        hold_s=hold_s,
        models=player.built.cards,
        refused={task: str(why) for task, why in player.built.refused.items()},
        replays=sorted(replays, key=lambda one: one.recording.name),
        left_out=len(chosen) - len(replays),
        costs=player.costs,
    )


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


def _policy(given: str | None) -> Detection:
    """Return the policy to measure with. Raises ``UserFacing`` (E-EVALUATE)."""
    if given is None:
        return measuring_policy()
    if given == "default":
        return Detection()
    try:
        settings = json.loads(Path(given).read_bytes())
        default: dict[str, Any] = json.loads(schema.dumps(Detection()))
        return schema.from_json(Detection, {**default, **settings.get("detection", settings)})
    except (OSError, ValueError, AttributeError, TypeError, FairlockError) as error:
        raise UserFacing(
            f"{given} can't be read: {error}",
            advice="Name a JSON file with settings of `detection` as docs/policy.md lists them.",
            code="E-EVALUATE",
        ) from error


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
