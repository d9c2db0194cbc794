"""Trains the second towers: batches, steps, a falling rate, and people's boxes for pasting.

Repeatable: the samples depend on the seed alone, and the last round is taken, never the one that tests best.
Needs torch and ultralytics; runs in the environment of ``packaging/models`` only, on one device.
"""

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from training.composites import Corners
from training.groups import Member
from training.masked_loss import MaskedLoss
from training.refusals import BadData
from training.samples import Sample, Sampler, in_pixels, read_image
from training.tower import widen

PERSON, SURE = 0, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train. ``size`` is (height, width); ``rate`` the highest learning rate; ``device`` "cpu" or a number."""

    epochs: int
    batch: int
    rate: float
    size: tuple[int, int]
    seed: int
    device: str
    workers: int

    @property
    def torch_device(self) -> torch.device:
        """The device as torch names it."""
        return torch.device(f"cuda:{self.device}" if self.device.isdecimal() else self.device)


class _Round(Dataset):
    """The samples of one round."""

    def __init__(self, sampler: Sampler, epoch: int) -> None:
        self._sampler, self._epoch = sampler, epoch

    def __len__(self) -> int:
        return len(self._sampler)

    def __getitem__(self, index: int) -> Sample:
        return self._sampler.sample(self._epoch, index)


def refuse_missing(device: str) -> None:
    """Raise ``BadData`` if there is no GPU of this number."""
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(device) >= there:
        known = f"torch sees {there}, numbered from 0" if there else "torch sees none"
        raise BadData(
            f"There is no GPU {device}: {known}. Give DEVICE=cpu, or a build of torch with CUDA: TORCH=torch==2.13.0."
        )


def people_in(model, members: Sequence[Member], size: tuple[int, int]) -> Mapping[str, list[Corners]]:
    """Return where ``model`` (``ultralytics.YOLO``) sees persons, in pixels, by picture path."""
    found = {}
    for member in members:
        image = read_image(member.picture)
        result = model.predict(image, imgsz=list(size), conf=SURE, classes=[PERSON], verbose=False)[0]
        found[str(member.picture.path)] = [
            in_pixels(tuple(row), image) for row in result.boxes.xyxyn.cpu().numpy().tolist()
        ]
    return found


def fit(model: torch.nn.Module, sampler: Sampler, trained: Sequence[int], names: Sequence[str], settings: Settings):
    """Widen and train ``model``, an ultralytics ``DetectionModel``, in place; return the mean loss of each round."""
    torch.manual_seed(settings.seed)
    device = settings.torch_device
    learning = widen(model, trained, names)
    model.to(device).eval()  # eval: normalisation keeps what it knows, batches here are too small to know better
    criterion = MaskedLoss(model, trained)
    optimiser = torch.optim.AdamW(learning, lr=settings.rate, weight_decay=0.01)
    scaler = torch.amp.GradScaler(enabled=device.type == "cuda")
    losses = []
    for epoch in range(settings.epochs):
        began = time.monotonic()
        batches = _batches(sampler, epoch, settings)
        total = 0.0
        for number, (images, batch, judged) in enumerate(batches):
            for group in optimiser.param_groups:
                group["lr"] = settings.rate * _share(epoch + number / len(batches), settings.epochs)
            with torch.autocast(device.type, enabled=device.type == "cuda"):
                predictions = model(images.to(device))[1]
            with torch.autocast(device.type, enabled=False):
                loss = criterion.class_loss(_full(predictions), batch, judged)
            optimiser.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimiser)
            scaler.update()
            total += float(loss.detach())
        losses.append(total / len(batches))
        seconds = time.monotonic() - began
        sys.stderr.write(f"round {epoch + 1} of {settings.epochs}: loss {losses[-1]:.4f}, {seconds:.0f} s\n")
    return losses


def save(model: torch.nn.Module, target: Path) -> None:
    """Write the model as ultralytics reads it, in full precision: its own way halves it and so moves every score."""
    torch.save({"model": model.cpu().eval(), "train_args": {}}, target)


def _full(predictions: dict) -> dict:
    """Return the predictions in full precision, as the assignment of boxes needs them."""
    return {
        key: [part.float() for part in value] if isinstance(value, list) else value.float()
        for key, value in predictions.items()
    }


def _share(progress: float, epochs: int) -> float:
    """Return the share of the highest rate: rising over the first half round, then falling along a cosine."""
    return min(1.0, 2 * progress + 0.05) * (0.02 + 0.98 * (1 + math.cos(math.pi * progress / epochs)) / 2)


def _batches(sampler: Sampler, epoch: int, settings: Settings) -> DataLoader:
    order = torch.Generator().manual_seed(settings.seed * 100_003 + epoch)
    return DataLoader(
        _Round(sampler, epoch),
        batch_size=settings.batch,
        shuffle=True,
        generator=order,
        num_workers=settings.workers,
        collate_fn=_collated,
    )


def _collated(samples: list[Sample]):
    """Return pictures [B, 3, H, W] (RGB, 0 to 1), boxes as ultralytics wants them, and ``judged`` [B, classes]."""
    pixels = np.stack([sample.image[:, :, ::-1].transpose(2, 0, 1) for sample in samples])
    boxes = np.concatenate([sample.boxes for sample in samples])
    owners = np.concatenate([np.full(len(sample.boxes), number) for number, sample in enumerate(samples)])
    batch = {
        "batch_idx": torch.from_numpy(owners),
        "cls": torch.from_numpy(boxes[:, 0]),
        "bboxes": torch.from_numpy(boxes[:, 1:]),
    }
    judged = torch.from_numpy(np.stack([sample.judged for sample in samples]))
    return torch.from_numpy(np.ascontiguousarray(pixels)).float() / 255, batch, judged
