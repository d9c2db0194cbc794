"""Measure a trained model against the one that it was made from, and write its card and its entries for the catalogue.

    .venv/bin/python packaging/models/assess.py out/train --data FOLDER [--test FOLDER[:airpods,phone,wallet][@480x640]]
        [--negatives FOLDER] [--coco ../shared/coco]

Looks with the product's own detector, so it runs in the product's environment, without torch. The held-out pictures
of the split are always measured, and the least scores are chosen on them; ``--test`` adds folders in YOLO's layout
(classes where the folder does not name them, height x width where the pictures were stored distorted),
``--negatives`` folders of pictures that show none of the trained classes, ``--coco`` a folder labelled with COCO's 80
classes by number. Prints the card; writes ``card.md`` and ``model.toml``. The exit code is 2 where something is
missing.
"""

import argparse
import sys
from pathlib import Path

from training import options as reading
from training.folder import read_folder
from training.model_card import Run, entry, page
from training.refusals import BadData, said
from training.scenes import FolderScene, Scene, empty_scene, look
from training.split_file import held_out
from training.verdict import COCO, HELD_OUT, Figures, Point, compare, least_score, word_score

from app.contract.errors import FairlockError
from detectors.catalogue import ModelCard, load_catalogue
from detectors.coco import COCO80, LABELS
from detectors.objects import load_object_detector


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("made", type=reading.folder, help="the folder that train.py wrote")
    parser.add_argument("--data", type=reading.folder, required=True, help="the folder that it was trained on")
    parser.add_argument("--test", action="append", default=[], type=FolderScene.asked)
    parser.add_argument("--negatives", action="append", default=[], type=reading.folder)
    parser.add_argument("--coco", type=reading.folder)
    options = parser.parse_args()
    try:
        scenes = _scenes(options)
        _assess(options.made, scenes)
    except (BadData, FairlockError, OSError) as error:
        sys.stderr.write(f"{error if isinstance(error, FairlockError) else said(error)}\n")
        return 2
    return 0


def _scenes(options: argparse.Namespace) -> list[Scene]:
    kept = held_out(options.made, options.data, read_folder(options.data))
    scenes = [Scene(title=HELD_OUT, pictures=kept), *(asked.read() for asked in options.test)]
    scenes += [empty_scene(folder) for folder in options.negatives]
    if options.coco is not None:
        scenes.append(Scene(title=COCO, pictures=read_folder(options.coco, COCO80)))
    return scenes


def _assess(made: Path, scenes: list[Scene]) -> None:
    run = Run.read(made)
    before = {_form(card): card for card in load_catalogue(made / "start" / "models.toml")}
    after = {_form(card): card for card in load_catalogue(made / "models.toml")}
    if not after or after.keys() - before.keys():
        raise BadData(f"{made} does not hold the same models before and after. Train again, or give another folder.")
    figures: list[Figures] = []
    points: dict[str, list[Point]] = {}
    written = []
    for form, card in after.items():
        old, new = _looked(made / "start", before[form], scenes, old=True), _looked(made, card, scenes, old=False)
        figures += old + new
        leasts = {name: least_score(new[0], name) for name in run.trained}
        were = {name: before[form].thresholds.get(LABELS.get(name, name), 0.25) for name in run.trained}
        points[form] = [
            point for pair in zip(old, new, strict=True) for point in compare(*pair, run.trained, (were, leasts))
        ]
        tables = (made / "models.toml").read_text("utf-8").split("[[model]]")
        (mine,) = (table for table in tables if f'file = "{card.file}"' in table)
        words = {name: score for name in run.trained if (score := word_score(new, name)) is not None}
        better = all(point.holds for point in points[form])
        written.append(entry(f"[[model]]{mine}", leasts, words, better=better))
    (made / "model.toml").write_text("\n".join(written), "utf-8")
    load_catalogue(made / "model.toml")  # raises where the product could not read it
    text = page(run, figures, points)
    (made / "card.md").write_text(text, "utf-8")
    sys.stdout.write(text)


def _form(card: ModelCard) -> str:
    """Return what tells a model from the others of the same run; they are compared like with like."""
    return f"{'INT8' if 'int8' in card.name else 'FP32'} {card.input[0]}×{card.input[1]}"


def _looked(folder: Path, card: ModelCard, scenes: list[Scene], *, old: bool) -> list[Figures]:
    """Return what a model sees in each scene."""
    sys.stderr.write(f"Looking with {card.name}{' as it was' if old else ''}\n")
    find = load_object_detector(folder / card.file, card).find
    return [
        Figures(
            model=f"{card.name} {'before' if old else 'after'}",
            form=_form(card),
            before=old,
            scene=scene.title,
            names=card.classes,
            pictures=tuple(look(scene, find, card.classes)),
        )
        for scene in scenes
    ]


if __name__ == "__main__":
    sys.exit(main())
