"""Plain ultralytics on the same pictures, in a process of its own: speed, and the boxes for comparing.

Run as a script by ``bench_detection`` with a Python that has ultralytics and torch; it looks when it is told to, so
that both sides take turns and a busy machine slows both alike.
Nothing of ours imports it, and what it imports need not be here: hence ``import_module`` and ``Any``.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("YOLO_AUTOINSTALL", "false")
os.environ.setdefault("YOLO_VERBOSE", "false")

MODEL_SCRIPTS = Path(__file__).parents[2] / "packaging" / "models"


def main(weights: str, pictures: str, threads: str = "") -> None:
    """Say "ready"; then detect in the picture of a folder that each line of input names, and answer with one line each.

    An answer has the milliseconds that the look took and the boxes. ``threads``: how many compute, else its own choice.
    """
    sys.path.insert(0, str(MODEL_SCRIPTS))
    shim: Any = import_module("torchvision_shim")
    shim.install()
    cv2: Any = import_module("cv2")
    model: Any = import_module("ultralytics").YOLO(weights)
    frames = {path.stem: cv2.imread(str(path)) for path in sorted(Path(pictures).glob("*.png"))}
    model.predict(next(iter(frames.values())), imgsz=640, verbose=False)
    if threads:  # only now: it chooses its own when it begins
        import_module("torch").set_num_threads(int(threads))
    print("ready", flush=True)
    for line in sys.stdin:
        frame = frames[line.strip()]
        began, used = time.perf_counter(), time.process_time()
        (result,) = model.predict(frame, imgsz=640, conf=0.25, iou=0.7, verbose=False)
        wall, cpu = (time.perf_counter() - began) * 1e3, (time.process_time() - used) * 1e3
        print(json.dumps({"wall_ms": wall, "cpu_ms": cpu, "boxes": result.boxes.data.tolist()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
