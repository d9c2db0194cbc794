"""Stand in for torchvision while ultralytics exports a model.

WORKAROUND: ultralytics reads torchvision's version at import and calls its ``nms``; the registry's torchvision is built
for CUDA and does not load beside a CPU build of torch ("operator torchvision::nms does not exist"). Exporting needs
only those two things. See https://github.com/ultralytics/ultralytics/blob/v8.4.190/ultralytics/utils/checks.py
Import this module before ``ultralytics``. Runs on build machines only, never in the product.
"""

import importlib.metadata
import importlib.util
import sys
import types

VERSION = "0.28.0"


def install() -> None:
    """Put the stand-in into place, unless a torchvision that works is there."""
    if _real_one_works():
        return
    real_version = importlib.metadata.version
    importlib.metadata.version = lambda name: VERSION if name == "torchvision" else real_version(name)
    package, operators = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
    package.__version__ = VERSION
    package.__path__ = []
    package.ops = operators
    operators.nms = _nms
    for module in (package, operators):
        module.__spec__ = importlib.util.spec_from_loader(module.__name__, loader=None)
        sys.modules[module.__name__] = module


def _real_one_works() -> bool:
    try:
        import torchvision.ops  # noqa: PLC0415  (whether it can be imported is the question)
    except (ImportError, RuntimeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        return False
    return callable(torchvision.ops.nms)


def _nms(boxes, scores, iou_threshold):
    """Return the indices of the boxes that stay, best first: greedy suppression as torchvision defines it."""
    import torch  # noqa: PLC0415  (it takes a second to load)

    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = scores.argsort(descending=True)
    kept = []
    while order.numel():
        best, rest = order[0], order[1:]
        kept.append(best)
        top_left = torch.maximum(boxes[rest, :2], boxes[best, :2])
        bottom_right = torch.minimum(boxes[rest, 2:], boxes[best, 2:])
        overlap = (bottom_right - top_left).clamp(min=0).prod(1)
        order = rest[overlap / (areas[rest] + areas[best] - overlap) <= iou_threshold]
    return torch.stack(kept) if kept else torch.empty(0, dtype=torch.int64)
