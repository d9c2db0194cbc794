"""Export and quantise a YOLO model for Fairlock, check it, and print its entries for ``resources/models.toml``.

    python packaging/models/export.py yolo11n.pt --pictures FOLDER [--out FOLDER] [--size 480x640]

Needs torch and ultralytics: ``make.sh`` runs it in an environment of its own (``environment.sh`` lists what is in it).
``FOLDER`` holds 32 to 128 pictures like those that a webcam sees, for calibration and for the comparison with
ultralytics. Loading a .pt runs code that is in it, so a file whose sha256 is not an official one is refused unless
``--trust`` is given. The exit code is 2 where something given is refused.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

# Before ultralytics is imported: it installs missing packages by itself otherwise, and reports usage.
os.environ["YOLO_AUTOINSTALL"] = "false"
os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.gettempdir())

import torchvision_shim
from training import options as reading
from training.calibration import COMPARISON, MOST, pictures_in
from training.refusals import REFUSED, said
from training.weights import ASSETS, OFFICIAL, digest, loaded


def main() -> int:
    """Run the command; the exit code is 1 when the export does not agree with ultralytics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--pictures", type=reading.folder, required=True, help="folder with JPEG pictures")
    parser.add_argument("--out", type=reading.target, default="build/models")
    parser.add_argument("--size", type=reading.model_size, default="480x640", help="height x width of the input")
    parser.add_argument("--trust", action="store_true", help="load a .pt whose sha256 is not an official one")
    options = parser.parse_args()
    try:
        digest(options.weights, trust=options.trust)
        pictures = pictures_in(options.pictures)
        options.out.mkdir(parents=True, exist_ok=True)
        entries = make(options.weights, options.out, pictures, options.size)
    except REFUSED as error:
        sys.stderr.write(f"{said(error)}\n")
        return 2
    for entry in entries:
        sys.stdout.write(entry)
    return 0 if entries else 1


def make(
    weights: Path,
    out: Path,
    pictures: list[Path],
    size: tuple[int, int],
    *,
    closer: tuple[int, int] | None = None,
    classes: Sequence[str] | None = None,
) -> list[str]:
    """Export, compare and quantise; return the entries for ``resources/models.toml``, INT8's first.

    ``closer`` is the size of one more INT8 model, for the second look; ``classes`` are the names of the model's classes
    where they are not COCO's. Empty if the export does not agree with ultralytics, which is said on the error stream.
    Raises ``BadData`` where the weights hold no model.
    """
    torchvision_shim.install()
    # After the stand-in, and not at the top, so that --help and refusals need nothing installed.
    from parity import compare  # noqa: PLC0415
    from ultralytics import YOLO  # noqa: PLC0415

    theirs = loaded(YOLO, weights)
    plain = _export(YOLO, weights, out, size, dynamic=True)
    agreement = compare(theirs, plain, pictures[:COMPARISON], size)
    sys.stderr.write(f"{plain.name} against ultralytics: {agreement}\n")
    if not agreement.boxes:
        sys.stderr.write("Nothing was found in the pictures to compare. Give pictures of people: --pictures.\n")
        return []
    if not agreement.holds:
        sys.stderr.write("The export does not agree with ultralytics and is not to be used.\n")
        return []
    origin = _origin(hashlib.sha256(weights.read_bytes()).hexdigest())
    entries = []
    for task, shape, suffix in (("objects", size, "-int8"), ("closer", closer, "-int8-small")):
        if shape is None:
            continue
        small = _quantised(YOLO, weights, out, pictures[:MOST], shape)
        parity = compare(loaded(YOLO, weights), small, pictures[:COMPARISON], shape)
        sys.stderr.write(f"{small.name} against ultralytics: {parity}\n")
        entries.append(_card(small, weights.stem + suffix, task, shape, 10, classes, origin))
    return [*entries, _card(plain, weights.stem, "objects", size, 30, classes, origin)]


def _quantised(yolo, weights: Path, out: Path, pictures: list[Path], size: tuple[int, int]) -> Path:
    """Return the INT8 file for pictures of ``size``."""
    from quantise import quantise  # noqa: PLC0415  (as above)

    fixed = _export(yolo, weights, out, size)
    small = out / f"{weights.stem}_int8_qdq_{size[0]}x{size[1]}.onnx"
    quantise(fixed, small, pictures, size)
    fixed.unlink()
    return small


def _export(yolo, weights: Path, out: Path, size: tuple[int, int], *, dynamic: bool = False) -> Path:
    """Return the floating-point ONNX file, made by ``yolo`` (``ultralytics.YOLO``), which writes beside its weights.

    It takes pictures of ``size``, or, if ``dynamic``, of any size in steps of 32.
    """
    with tempfile.TemporaryDirectory(prefix="fairlock-export-") as folder:
        copy = Path(folder, weights.name)
        shutil.copyfile(weights, copy)
        model = yolo(str(copy))
        head = model.model.model[-1]
        if hasattr(head, "one2one_cv2"):
            head.end2end = True  # before fuse(), or the one-to-one head of YOLO26 is dropped
        made = Path(
            model.export(
                format="onnx", imgsz=list(size), opset=17, simplify=True, device="cpu", dynamic=dynamic, verbose=False
            )
        )
        target = out / (f"{weights.stem}_dyn.onnx" if dynamic else f"{weights.stem}_{size[0]}x{size[1]}.onnx")
        shutil.move(made, target)
    return target


def _origin(digest: str) -> str:
    """Return the lines that say where a .pt with this sha256 is from."""
    if digest in OFFICIAL:
        return f'source = "{ASSETS}{OFFICIAL[digest]}"\nofficial_sha256 = "{digest}"'
    return f'source = "a .pt with sha256 {digest}"\n# not an official file'


def _card(
    path: Path,
    name: str,
    task: str,
    size: tuple[int, int],
    rank: int,
    classes: Sequence[str] | None,
    origin: str,
) -> str:
    import onnxruntime  # noqa: PLC0415  (as above)

    shape = onnxruntime.InferenceSession(str(path)).get_outputs()[0].shape
    return f"""
[[model]]
name = "{name}"
task = "{task}"
file = "{path.name}"
sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"
licence = "AGPL-3.0-or-later"
form = "{"yolo-end-to-end" if shape[-1] == 6 else "yolo-dense"}"
input = [{size[0]}, {size[1]}]
classes = {json.dumps(list(classes)) if classes else '"coco80"'}
grade = "release"
rank = {rank}
{origin}
[model.thresholds]
person = 0.40
phone = 0.20
book = 0.35
laptop = 0.35
in_hand = 0.25
"""


if __name__ == "__main__":
    sys.exit(main())
