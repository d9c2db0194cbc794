"""What INT8 costs in accuracy: mAP50-95 on the COCO pictures at hand, of the INT8 file as it is run, and of FP32.

The average precision is that of ``make train``'s own measurements. Few pictures: it compares two files on the same
ones, and is no score to put beside others'. Needs the shared models and pictures, as ``bench_detection`` does.
"""

from detectors.catalogue import load_catalogue
from detectors.coco import COCO80
from detectors.objects import load_object_detector
from tests.bench.bench_detection import MODELS, SHARED
from tests.bench.table import Row
from tests.unit.training_parts import part

SMALL, EXACT = "yolo11n-int8", "yolo11n"
PICTURES = SHARED / "coco"


def run() -> list[Row]:
    """Measure; a single row says so where models or pictures are not at hand."""
    if not MODELS.is_dir() or not PICTURES.is_dir():
        return [Row("COCO: the shared models and pictures are not beside this checkout", 0, "", None, None, "")]
    precision, peer = _precision(SMALL), _precision(EXACT)
    return [
        Row(f"COCO: mAP50-95 of {SMALL}, and of {EXACT}", round(precision, 2), "points", round(peer, 2), None, ""),
        Row(f"COCO: what {SMALL} loses of it", round(peer - precision, 2), "points", None, None, "≤ 1"),
    ]


def _precision(name: str) -> float:
    """Return the mAP50-95 of a model in points (0 to 100)."""
    scenes, verdicts = part("scenes"), part("verdict")
    card = load_catalogue().named(name)
    scene = scenes.Scene(title=verdicts.COCO, pictures=part("folder").read_folder(PICTURES, COCO80))
    seen = scenes.look(scene, load_object_detector(MODELS / card.file, card).find, card.classes)
    figures = verdicts.Figures(
        model=name, form=card.form.value, before=False, scene=scene.title, names=card.classes, pictures=tuple(seen)
    )
    return float(figures.mean_precision()) * 100
