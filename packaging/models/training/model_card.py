"""Writes what is known of a trained model: a page for people, and its entries for ``resources/models.toml``.

Pure; runs in the product's environment.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.refusals import BadData
from training.split_file import read_split
from training.verdict import COCO, Figures, Point

from detectors.coco import LABELS

_SETTINGS = {"epochs", "batch", "rate", "size", "seed", "device", "start_sha256", "losses"}
RANKS = {"release": 5, "demonstration": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What ``train.py`` noted: the classes, the settings, and how many pictures and groups stood on each side."""

    names: tuple[str, ...]
    trained: tuple[str, ...]
    left_out: Mapping[str, str]
    settings: Mapping[str, object]
    pictures: Mapping[str, int]
    groups: Mapping[str, int]

    @classmethod
    def read(cls, made: Path) -> "Run":
        """Read the folder that ``train.py`` wrote. Raises ``BadData``."""
        rows = read_split(made)
        try:
            facts = json.loads((made / "training.json").read_text("utf-8"))
            names = tuple(facts.pop("names"))
            trained, left_out = tuple(names[number] for number in facts.pop("trained")), facts.pop("left_out")
            if missing := _SETTINGS - facts.keys():
                raise KeyError(*missing)
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise BadData(f"{made}/training.json is missing or damaged. Train again, or give another run.") from error
        return cls(
            names=names,
            trained=trained,
            left_out=left_out,
            settings=facts,
            pictures=Counter(row.side for row in rows),
            groups=Counter(side for side, _ in {(row.side, row.group) for row in rows}),
        )


def entry(text: str, leasts: Mapping[str, float], words: Mapping[str, float], *, better: bool) -> str:
    """Return one ``[[model]]`` table with its least scores, and with the scores from which on its word is to be taken.

    One that is not better is for demonstration only.
    """
    grade = "release" if better else "demonstration"
    text = re.sub(r"^grade = .*$", f'grade = "{grade}"', text, flags=re.MULTILINE)
    text = re.sub(r"^rank = (\d+)$", lambda found: f"rank = {RANKS[grade] + int(found[1]) // 10}", text, flags=re.M)
    for name, least in leasts.items():
        line = f"{_key(LABELS.get(name, name))} = {least:.2f}"
        text, known = re.subn(rf"^{line.split(' = ', maxsplit=1)[0]} = .*$", line, text, flags=re.MULTILINE)
        if not known:
            text = text.rstrip() + f"\n{line}\n"
    if words:
        text = text.rstrip() + "\n[model.words]\n"
    return text + "".join(f"{_key(LABELS.get(name, name))} = {least:.2f}\n" for name, least in words.items())


def _key(label: str) -> str:
    return label if re.fullmatch(r"[\w-]+", label) else f'"{label}"'


def page(run: Run, figures: Sequence[Figures], points: Mapping[str, Sequence[Point]]) -> str:
    """Return the card in Markdown; ``points`` are the comparisons by form (FP32, INT8)."""
    parts = [
        "# Card of a trained model",
        _origin(run),
        *(_compared(form, some) for form, some in points.items()),
        "## At other least scores\n\n" + _table(run, figures),
        _unmeasured(run, figures),
    ]
    return "\n\n".join(parts) + "\n"


def _origin(run: Run) -> str:
    settings, pictures, groups = run.settings, run.pictures, run.groups
    losses = settings["losses"]
    first, last = (losses[0], losses[-1]) if isinstance(losses, list) and losses else (math.nan, math.nan)
    lines = (
        f"Licence: AGPL-3.0-or-later, as the model it was made from, a .pt with sha256 `{settings['start_sha256']}`.",
        f"Learnt: {', '.join(run.trained)}. Every other class, and where boxes are, is as it was.",
        f"Trained on {pictures['train']} pictures of {groups['train']} groups, held out {pictures['test']} of "
        f"{groups['test']}; no group is on both sides (`split.tsv`).",
        f"{settings['epochs']} rounds at {settings['size']} (height, width), {settings['batch']} pictures a step, "
        f"highest rate {settings['rate']}, seed {settings['seed']}, device {settings['device']}.",
        f"Mean loss {first:.3f} in the first round, {last:.3f} in the last, which is the one taken.",
    )
    return "\n".join(lines)


def _compared(form: str, points: Sequence[Point]) -> str:
    rows = [f"- {'as good or better' if point.holds else '**worse**'}: {point.text}" for point in points]
    head = [f"## {form}: before → after", "", "Shares with 95 % bounds, each model at its own least score.", ""]
    return "\n".join(head + rows)


def _table(run: Run, figures: Sequence[Figures]) -> str:
    """Return recall and precision of boxes, and the share of pictures in which each trained class was seen."""
    rows = [
        "| model | scene | class | least score | recall of boxes | precision of boxes | seen in pictures with |",
        "|---" * 7 + "|",
    ]
    for one in figures:
        if one.scene == COCO:
            continue
        for name in run.trained:
            for least in (0.2, 0.4, 0.6):
                recall, precision = one.boxes(name, least)
                shares = "; ".join(
                    f"{label or 'nothing'} {share}" for label, share in one.by_label(name, least).items()
                )
                rows.append(f"| {one.model} | {one.scene} | {name} | {least} | {recall} | {precision} | {shares} |")
    return "\n".join(rows)


def _unmeasured(run: Run, figures: Sequence[Figures]) -> str:
    """Return what nobody can know from these figures."""
    lines = [f"- {name}: not trained ({reason})." for name, reason in run.left_out.items()]
    if not any(one.scene == COCO for one in figures):
        lines.append("- The other classes: no pictures of COCO were given, so their mAP was not compared.")
    lines.append(
        "- Skin tones, glasses, light and rooms: the pictures are not labelled for them, so no figure is per group."
    )
    lines.append(
        "- Pictures of one recording are alike: the bounds take them as independent, and are narrower than the truth."
    )
    return "## What is not measured\n\n" + "\n".join(lines)
