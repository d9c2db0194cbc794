"""Fine-tune a detection model of the family on a folder of labelled pictures, export it, and check the export.

    make train DATA=folder [WEIGHTS=yolo11n.pt] [GROUPS=groups.tsv] [EPOCHS=20] [DEVICE=cpu]

Writes the model, its exports, ``split.tsv`` and ``training.json`` into ``--out``; ``assess.py`` then measures them and
writes the card. docs/models.md says how the folder is to look. Runs in the environment that ``make.sh`` prepares.
"""

import argparse
import hashlib
import json
import os
import random
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

os.environ["YOLO_AUTOINSTALL"] = "false"
os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.gettempdir())

import torchvision_shim
from export import OFFICIAL
from training.folder import BadData, read_folder
from training.groups import Split, members, read_rules, split
from training.likeness import fingerprint, twins
from training.plan import TRAINABLE, Plan, make_plan
from training.samples import Sampler, read_image

OFTEN = 0.05
"""Share of the training pictures that may look like a test picture before the groups are believed to be wrong."""


def main() -> int:
    """Run the command; the exit code is 2 when the data or the weights are refused, 1 when the export is wrong."""
    options = _options()
    try:
        parts = _parts(options)
        return _train(options, parts)
    except (BadData, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder in YOLO's layout")
    parser.add_argument("--weights", type=Path, required=True, help="the .pt to start from")
    parser.add_argument("--trust", action="store_true", help="load a .pt whose sha256 is not an official one")
    parser.add_argument("--groups", type=Path, help="who is in which picture (else groups.tsv in the folder)")
    parser.add_argument("--classes", default=",".join(TRAINABLE), help="what is to be learnt, by comma")
    parser.add_argument("--out", type=Path, default=Path("out/train"))
    parser.add_argument("--name", default="yolo11n-exam")
    parser.add_argument("--size", default="480x640", help="height x width of the exported model")
    parser.add_argument("--closer-size", default="320x416", help="the same for the second look")
    parser.add_argument("--pictures", type=Path, help="folder for calibrating INT8 (else what was trained on)")
    parser.add_argument("--train-size", help="height x width while training (else as exported)")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--share", type=float, default=0.2, help="of the pictures to be kept for testing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu, or the number of a GPU")
    parser.add_argument("--workers", type=int, default=0, help="processes that make samples")
    return parser.parse_args()


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


def _digest(options: argparse.Namespace) -> str:
    """Return the sha256 of the weights. Raises ``BadData`` if they are not there or not to be trusted."""
    if not options.weights.is_file():
        raise BadData(f"There is no file {options.weights}. Name the .pt to start from: WEIGHTS=yolo11n.pt")
    digest = hashlib.sha256(options.weights.read_bytes()).hexdigest()
    if digest not in OFFICIAL and not options.trust:
        raise BadData(f"{options.weights} has sha256 {digest}, which is not official. Say OPTIONS=--trust to load it.")
    return digest


def _train(options: argparse.Namespace, parts: Split) -> int:
    digest = _digest(options)
    torchvision_shim.install()
    # After the stand-in, and not at the top, so that refusals need nothing installed.
    from training.fitting import Settings, fit, people_in, save  # noqa: PLC0415
    from ultralytics import YOLO  # noqa: PLC0415

    size, train_size = _size(options.size), _size(options.train_size or options.size)
    model = YOLO(str(options.weights))
    plan = make_plan(list(model.names.values()), parts, wanted=options.classes.split(","))
    settings = Settings(
        epochs=options.epochs,
        batch=options.batch,
        rate=options.rate,
        size=train_size,
        seed=options.seed,
        device=options.device,
        workers=options.workers,
    )
    people = people_in(YOLO(str(options.weights)), parts.train, size)  # one of its own: predicting alters a model
    sampler = Sampler(parts.train, plan, size=train_size, seed=options.seed, people=people)
    options.out.mkdir(parents=True, exist_ok=True)
    losses = fit(model.model, sampler, plan.trained, plan.names, settings)
    saved = options.out / f"{options.name}.pt"
    save(model.model, saved)
    _note(options.out, parts, plan, {**asdict(settings), "start_sha256": digest, "losses": losses})
    return _exported(options, saved, plan, parts)


def _exported(options: argparse.Namespace, saved: Path, plan: Plan, parts: Split) -> int:
    """Export what was made and what it was made from, by the same way and with the same pictures, for comparing."""
    from export import make  # noqa: PLC0415  (as above)

    shown = [member.picture.path for member in parts.train]
    if options.pictures is not None:
        shown = sorted(options.pictures.glob("*.jpg"))
    pictures = random.Random(options.seed).sample(shown, len(shown))  # noqa: S311  (no secret)
    for weights, out, classes in (
        (options.weights, options.out / "start", None),
        (saved, options.out, plan.names if plan.added else None),
    ):
        out.mkdir(parents=True, exist_ok=True)
        entries = make(weights, out, pictures, _size(options.size), closer=_size(options.closer_size), classes=classes)
        if not entries:
            return 1
        (out / "models.toml").write_text("".join(entries).lstrip(), "utf-8")
    return 0


def _size(text: str) -> tuple[int, int]:
    height, width = (int(side) for side in text.split("x"))
    return height, width


def _note(out: Path, parts: Split, plan: Plan, settings: dict[str, object]) -> None:
    """Write what ``assess.py`` needs: who was on which side, and how the model was made."""
    rows = [("train", member) for member in parts.train] + [("test", member) for member in parts.test]
    lines = [f"{side}\t{member.group}\t{member.picture.path}" for side, member in rows]
    (out / "split.tsv").write_text("side\tgroup\tfile\n" + "\n".join(lines) + "\n", "utf-8")
    facts = {"names": plan.names, "trained": plan.trained, "left_out": dict(plan.left_out), **settings}
    (out / "training.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
