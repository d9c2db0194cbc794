"""Fine-tune a detection model of the family on a folder of labelled pictures, export it, and check the export.

    make train DATA=folder [WEIGHTS=yolo11n.pt] [GROUPS=groups.tsv] [EPOCHS=20] [DEVICE=cpu]

Writes the model, its exports, ``split.tsv`` and ``training.json`` into ``--out``; ``assess.py`` then measures them and
writes the card. docs/models.md says how the folder is to look. Runs in the environment that ``make.sh`` prepares.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

# Last, so that this checkout's folders stand in for nobody's package; the product's readers are read from there.
sys.path.append(str(Path(__file__).parents[2]))
os.environ["YOLO_AUTOINSTALL"] = "false"
os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.gettempdir())

import torchvision_shim
from training import options as reading
from training.calibration import pictures_in
from training.folder import read_folder
from training.groups import Split, members, read_rules, split
from training.likeness import fingerprint, twins
from training.plan import TRAINABLE, Plan, make_plan
from training.refusals import REFUSED, BadData, said
from training.samples import Sampler, read_image
from training.split_file import write_split
from training.weights import digest, loaded

OFTEN = 0.05
"""Share of the training pictures that may look like a test picture before the groups are believed to be wrong."""


def main() -> int:
    """Run the command; the exit code is 2 when something given is refused, 1 when the export is wrong."""
    options = _options()
    try:
        return _run(options)
    except REFUSED as error:
        sys.stderr.write(f"{said(error)}\n")
        return 2


def _run(options: argparse.Namespace) -> int:
    """Refuse what can be refused, then export what we start from, train, and export what was made.

    The start is exported first: whatever is wrong with exporting shows before hours of training.
    """
    start = digest(options.weights, trust=options.trust)
    calibration = pictures_in(options.pictures) if options.pictures is not None else ()
    _refuse_missing(options.device)
    parts = _parts(options)
    model, plan = _planned(options, parts)
    pictures = calibration or [member.picture.path for member in parts.train]
    if not _exported(options, options.weights, options.out / "start", pictures):
        return 1
    _train(options, model, plan, parts, start)
    classes = plan.names if plan.added else None
    return 0 if _exported(options, _saved(options), options.out, pictures, classes) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=reading.folder, help="folder in YOLO's layout")
    parser.add_argument("--weights", type=Path, required=True, help="the .pt to start from")
    parser.add_argument("--trust", action="store_true", help="load a .pt whose sha256 is not an official one")
    parser.add_argument("--groups", type=reading.file, help="who is in which picture (else groups.tsv in the folder)")
    parser.add_argument(
        "--classes", type=reading.class_names, default=TRAINABLE, help="what is to be learnt, names by comma"
    )
    parser.add_argument("--out", type=reading.target, default="out/train")
    parser.add_argument("--name", type=reading.name, default="yolo11n-exam")
    size = reading.model_size
    parser.add_argument("--size", type=size, default="480x640", help="height x width of the exported model")
    parser.add_argument("--closer-size", type=size, default="320x416", help="the same for the second look")
    parser.add_argument("--pictures", type=reading.folder, help="for calibrating INT8 (else what was trained on)")
    parser.add_argument("--train-size", type=size, help="height x width while training (else as exported)")
    parser.add_argument("--epochs", type=reading.count, default=20)
    parser.add_argument("--batch", type=reading.count, default=8)
    parser.add_argument("--rate", type=reading.rate, default=1e-3)
    parser.add_argument("--share", type=reading.share, default=0.2, help="of the pictures to be kept for testing")
    parser.add_argument("--seed", type=reading.count_or_none, default=1)
    parser.add_argument("--device", type=reading.device, default="cpu", help="cpu, or the number of a GPU")
    parser.add_argument("--workers", type=reading.count_or_none, default=0, help="processes that make samples")
    options = parser.parse_args()
    if options.closer_size == options.size:
        parser.error("--closer-size must not be --size: both make files, which are named by their sizes")
    return options


def _parts(options: argparse.Namespace) -> Split:
    """Return the split, without training pictures that look like a test picture. Raises ``BadData``."""
    pictures = read_folder(options.data)
    rules = read_rules(options.groups or options.data / "groups.tsv", pictures)
    parts = split(members(pictures, rules), seed=options.seed, share=options.share)
    ours, theirs = (
        {str(member.picture.path): fingerprint(read_image(member.picture)) for member in side}
        for side in (parts.train, parts.test)
    )
    alike = twins(ours, theirs)
    if len(alike) > OFTEN * len(ours):
        pairs = "\n".join(f"  {left} and {right}" for left, right in list(alike.items())[:10])
        raise BadData(
            f"{len(alike)} of {len(ours)} training pictures look like a test picture, so the groups can not be right:\n"
            f"{pairs}\nGive files of the same person or recording the same group in groups.tsv."
        )
    for left, right in alike.items():
        sys.stderr.write(f"{left} looks like {right}, which is tested on, and is left out.\n")
    return Split(train=tuple(item for item in parts.train if str(item.picture.path) not in alike), test=parts.test)


def _refuse_missing(device: str) -> None:
    """Raise ``BadData`` for a GPU that is not there; the one option that torch has to be asked about."""
    if device != "cpu":
        torchvision_shim.install()
        from training.fitting import refuse_missing  # noqa: PLC0415  (so that other refusals need nothing installed)

        refuse_missing(device)


def _planned(options: argparse.Namespace, parts: Split) -> tuple[Any, Plan]:
    """Return the model to start from (``ultralytics.YOLO``) and the plan for it. Raises ``BadData``."""
    torchvision_shim.install()
    # After the stand-in, and not at the top, so that refusals need nothing installed.
    from training.tower import refuse_unfit  # noqa: PLC0415
    from ultralytics import YOLO  # noqa: PLC0415

    model = loaded(YOLO, options.weights)
    refuse_unfit(model.model)
    return model, make_plan(list(model.names.values()), parts, wanted=options.classes)


def _train(options: argparse.Namespace, model: Any, plan: Plan, parts: Split, start: str) -> None:
    """Train, and write the model with what is to be known of it; ``start`` is the sha256 of the weights."""
    from training.fitting import Settings, fit, people_in, save  # noqa: PLC0415  (as above)

    train_size = options.train_size or options.size
    settings = Settings(
        epochs=options.epochs,
        batch=options.batch,
        rate=options.rate,
        size=train_size,
        seed=options.seed,
        device=options.device,
        workers=options.workers,
    )
    looking = loaded(type(model), options.weights)  # one of its own: predicting alters a model
    people = people_in(looking, parts.train, options.size)
    sampler = Sampler(parts.train, plan, size=train_size, seed=options.seed, people=people)
    losses = fit(model.model, sampler, plan.trained, plan.names, settings)
    save(model.model, _saved(options))
    write_split(options.out, parts, options.data)
    facts = {"names": plan.names, "trained": plan.trained, "left_out": dict(plan.left_out), **asdict(settings)}
    noted = json.dumps({**facts, "start_sha256": start, "losses": losses}, indent=1)
    (options.out / "training.json").write_text(noted + "\n", "utf-8")


def _saved(options: argparse.Namespace) -> Path:
    return options.out / f"{options.name}.pt"


def _exported(
    options: argparse.Namespace,
    weights: Path,
    out: Path,
    pictures: Sequence[Path],
    classes: Sequence[str] | None = None,
) -> bool:
    """Export a model into ``out``, before and after by the same way and with the same pictures, for comparing."""
    from export import make  # noqa: PLC0415  (as above)

    out.mkdir(parents=True, exist_ok=True)
    drawn = random.Random(options.seed).sample(pictures, len(pictures))  # noqa: S311  (no secret)
    entries = make(weights, out, drawn, options.size, closer=options.closer_size, classes=classes)
    if entries:
        (out / "models.toml").write_text("".join(entries).lstrip(), "utf-8")
    return bool(entries)


if __name__ == "__main__":
    sys.exit(main())
