"""The class loss of ultralytics, silent where nobody has labelled.

A picture in which only phones were labelled says nothing about headphones: neither that they are there nor that they
are not. An empty place counts against a class only where that class is ``judged`` in the picture; a labelled box
counts for its class everywhere, and against the other trained ones, since no object is two of them.
Needs torch and ultralytics; runs in the environment of ``packaging/models`` only.
"""

from collections.abc import Sequence
from types import SimpleNamespace

import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from ultralytics.utils.loss import v8DetectionLoss


class MaskedLoss(v8DetectionLoss):
    """Assignment and targets are ultralytics' own (task-aligned, arXiv:2108.07755); boxes do not learn here."""

    def __init__(self, model: torch.nn.Module, trained: Sequence[int]) -> None:
        model.args = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)
        super().__init__(model)
        self.trained = torch.zeros(self.nc, dtype=torch.bool, device=self.device)
        self.trained[list(trained)] = True
        self.judged = self.trained[None]
        self.bce = self._where_judged

    def class_loss(
        self, predictions: dict[str, torch.Tensor], batch: dict[str, torch.Tensor], judged: torch.Tensor
    ) -> torch.Tensor:
        """Return the loss of a batch; ``judged`` [B, classes] is ``Sample.judged`` of its pictures."""
        self.judged = judged.to(self.device)
        _, loss, _ = self.get_assigned_targets_and_loss(predictions, batch)
        return loss[1]

    def _where_judged(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss [B, places, classes], 0 where the truth is not known."""
        held = (targets > 0).any(dim=2, keepdim=True) & self.trained
        counts = self.judged[:, None] | held
        return binary_cross_entropy_with_logits(scores, targets, reduction="none") * counts
