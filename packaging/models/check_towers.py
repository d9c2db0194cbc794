"""Check what training promises, on a model of the family with weights drawn at random; ``train.sh`` runs it first.

Every other class scores bit for bit what it scored before, only the new towers learn, and a class that nobody looked
for in a picture is left alone. Takes seconds; needs torch and ultralytics; the exit code is 1 when a promise is broken.
"""

import os
import sys
import tempfile

os.environ["YOLO_AUTOINSTALL"] = "false"
os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.gettempdir())

import torch
import torchvision_shim

PHONE, HEADPHONES = 67, 80
NAMES = tuple(str(number) for number in range(81))


def main() -> int:
    """Run every check."""
    torchvision_shim.install()
    torch.manual_seed(1)
    for check in (_others_stay, _only_the_new_towers_learn, _unknown_is_no_negative):
        if not check():
            sys.stderr.write(f"{check.__name__} does not hold here. Do not train with these versions.\n")
            return 1
    return 0


def _model():
    """Return a model as training has it, what may learn, and what it saw in a picture before it was widened."""
    from training.tower import widen  # noqa: PLC0415  (after the stand-in)
    from ultralytics.nn.tasks import DetectionModel  # noqa: PLC0415

    model = DetectionModel("yolo11n.yaml", verbose=False).eval()
    picture = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        before = model(picture)[1]["scores"]
    return model, widen(model, (PHONE, HEADPHONES), NAMES), picture, before


def _others_stay() -> bool:
    model, learning, picture, before = _model()
    with torch.no_grad():
        for parameter in learning:
            parameter.add_(torch.rand_like(parameter))
        after = model(picture)[1]["scores"]
    others = [number for number in range(80) if number != PHONE]
    return (
        after.shape[1] == 81
        and torch.equal(after[:, others], before[:, others])
        and not torch.equal(after[:, PHONE], before[:, PHONE])
    )


def _only_the_new_towers_learn() -> bool:
    model, learning, picture, _ = _model()
    _loss(model, picture, judged=True).backward()
    moved = {id(parameter) for parameter in model.parameters() if parameter.grad is not None}
    return bool(moved) and moved <= {id(parameter) for parameter in learning}


def _unknown_is_no_negative() -> bool:
    model, _, picture, _ = _model()
    unknown, known = (_loss(model, picture, judged=judged).item() for judged in (False, True))
    return unknown == 0 < known


def _loss(model, picture: torch.Tensor, *, judged: bool) -> torch.Tensor:
    """Return the loss of two pictures in which nothing is labelled."""
    from training.masked_loss import MaskedLoss  # noqa: PLC0415  (after the stand-in)

    nothing = {"batch_idx": torch.zeros(0), "cls": torch.zeros(0), "bboxes": torch.zeros(0, 4)}
    known = torch.zeros(2, 81, dtype=torch.bool)
    known[:, [PHONE, HEADPHONES]] = judged
    return MaskedLoss(model, (PHONE, HEADPHONES)).class_loss(model(picture)[1], nothing, known)


if __name__ == "__main__":
    sys.exit(main())
