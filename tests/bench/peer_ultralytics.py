"""Plain ultralytics on the same pictures, in a process of its own: speed, and the boxes for comparing.

Run as a script by ``bench_detection`` with a Python that has ultralytics and torch; prints one JSON object.
It imports nothing of ours, nothing of ours imports it, and what it
imports need not be here: hence ``import_module`` and ``Any``.
"""

import importlib.metadata
import json
import os
import statistics
import sys
import time
import types
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

os.environ.setdefault("YOLO_AUTOINSTALL", "false")
os.environ.setdefault("YOLO_VERBOSE", "false")


def main(weights: str, pictures: str, rounds: int) -> None:
    """Detect in every ``*.png`` of a folder, ``rounds`` times; answer milliseconds a picture and the boxes."""
    _stand_in_for_torchvision()
    cv2: Any = import_module("cv2")
    model: Any = import_module("ultralytics").YOLO(weights)
    frames = {path.name: cv2.imread(str(path)) for path in sorted(Path(pictures).glob("*.png"))}
    model.predict(next(iter(frames.values())), imgsz=640, verbose=False)
    wall, cpu, boxes = [], [], {}
    for _ in range(rounds):
        for name, frame in frames.items():
            began, used = time.perf_counter(), time.process_time()
            (result,) = model.predict(frame, imgsz=640, conf=0.25, iou=0.7, verbose=False)
            wall.append((time.perf_counter() - began) * 1e3)
            cpu.append((time.process_time() - used) * 1e3)
            boxes[name] = result.boxes.data.tolist()
    print(json.dumps({"wall_ms": statistics.median(wall), "cpu_ms": statistics.median(cpu), "boxes": boxes}))


def _stand_in_for_torchvision() -> None:
    """WORKAROUND: the registry's torchvision is built for another torch, and ultralytics does not start without one.

    It needs its version and ``ops.nms`` only. https://github.com/ultralytics/ultralytics/blob/v8.4.190/pyproject.toml
    """
    torch: Any = import_module("torch")
    metadata: Any = importlib.metadata

    def nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        order = scores.argsort(descending=True)
        kept = []
        while order.numel():
            best, order = order[0], order[1:]
            kept.append(best)
            low = torch.maximum(boxes[best, :2], boxes[order, :2])
            high = torch.minimum(boxes[best, 2:], boxes[order, 2:])
            shared = (high - low).clamp(min=0).prod(1)
            order = order[shared / (areas[best] + areas[order] - shared) <= iou_threshold]
        return torch.stack(kept) if kept else torch.empty(0, dtype=torch.int64)

    version = metadata.version
    metadata.version = lambda name: "0.28.0" if name == "torchvision" else version(name)
    for name in ("torchvision", "torchvision.ops"):
        module = types.ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        sys.modules[name] = module
    sys.modules["torchvision"].__dict__.update(__version__="0.28.0", ops=sys.modules["torchvision.ops"])
    sys.modules["torchvision.ops"].__dict__["nms"] = nms


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
