"""Gives a YOLO11 model a second class tower, so that learning a few classes can not harm the others.

ultralytics' head has two towers a grid: one says where a box's sides are, one how much it looks like each class. Both
stay as they are, with everything below them. A copy of the class tower learns the trained classes, and only their
scores are taken from it. So every other class scores bit for bit what it scored before. Costs about 4 % more
arithmetic. Needs torch; runs in the environment of ``packaging/models`` only. A saved model names the class below, so
it is opened by scripts of this folder only; the exported ONNX file needs nothing of it.
"""

import copy
from collections.abc import Sequence

import torch
from torch import nn
from training.refusals import BadData

CLASS_PRIOR = 0.001  # a new class begins as rare


class TwoTowers(nn.Module):
    """``kept`` scores all classes that the model knew, ``learning`` the trained ones; ``order`` joins them."""

    def __init__(self, kept: nn.Sequential, trained: Sequence[int], classes: int) -> None:
        super().__init__()
        self.kept = kept
        self.learning = copy.deepcopy(kept)
        last = kept[-1]
        known = last.out_channels
        self.learning[-1] = _rows(last, trained)
        places = [known + trained.index(number) if number in trained else number for number in range(classes)]
        self.register_buffer("order", torch.tensor(places), persistent=True)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return raw scores [B, classes, H, W] for features [B, C, H, W] of one grid."""
        both = torch.cat([self.kept(features), self.learning(features)], dim=1)
        return both.index_select(1, self.order)


def _rows(last: nn.Conv2d, trained: Sequence[int]) -> nn.Conv2d:
    """Return the last layer with the rows of the trained classes only; a class it did not know starts from nothing."""
    made = nn.Conv2d(last.in_channels, len(trained), 1)
    nn.init.zeros_(made.weight)
    nn.init.constant_(made.bias, torch.logit(torch.tensor(CLASS_PRIOR)).item())
    with torch.no_grad():
        for row, number in enumerate(trained):
            if number < last.out_channels:
                made.weight[row] = last.weight[number]
                made.bias[row] = last.bias[number]
    return made


def refuse_unfit(model: nn.Module) -> None:
    """Raise ``BadData`` for a model that can not be widened."""
    head = model.model[-1]
    if getattr(head, "one2one_cv3", None) is not None:
        raise BadData("A model with two heads (YOLO26) can not be trained here yet; give a YOLO11 model.")
    if not hasattr(head, "cv3"):
        raise BadData("This is no model that finds boxes; give a YOLO11 model for detection.")
    if any(isinstance(tower, TwoTowers) for tower in head.cv3):
        raise BadData("This model has been trained here before; start from the one that it was made from.")


def widen(model: nn.Module, trained: Sequence[int], names: Sequence[str]) -> list[nn.Parameter]:
    """Add the towers to an ultralytics ``DetectionModel``; return what may learn. Raises ``BadData``."""
    refuse_unfit(model)
    head = model.model[-1]
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    head.cv3 = nn.ModuleList(TwoTowers(tower, trained, len(names)) for tower in head.cv3)
    head.nc = len(names)
    head.no = len(names) + 4 * head.reg_max
    model.names = dict(enumerate(names))
    model.nc = len(names)
    if hasattr(model, "yaml"):
        model.yaml["nc"] = len(names)
    learning = [parameter for tower in head.cv3 for parameter in tower.learning.parameters()]
    for parameter in learning:
        parameter.requires_grad_(True)
    return learning
