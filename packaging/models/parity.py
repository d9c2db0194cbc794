"""Compare an exported model with ultralytics' own prediction on the same pictures.

Runs on build machines, in the script's only thread. FP32 must agree within 1 px and 0.01; INT8 never does and is
judged by accuracy instead (docs/models.md).
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

LEAST_SCORE = 0.25
LARGEST_PX, LARGEST_SCORE = 1.0, 0.01
SAME_OBJECT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How ``boxes`` boxes of ultralytics compare: how many have no counterpart, and the largest differences."""

    boxes: int
    missed: int
    added: int
    px: float
    score: float

    @property
    def holds(self) -> bool:
        """Whether both are the same model for all that matters."""
        return (
            self.boxes > 0
            and not self.missed
            and not self.added
            and self.px <= LARGEST_PX
            and (self.score <= LARGEST_SCORE)
        )


def compare(model, onnx: Path, pictures: list[Path], size: tuple[int, int]) -> Parity:
    """Return how ``onnx`` agrees with ``model``, an ``ultralytics.YOLO``, on pictures of ``size`` (height, width)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(onnx), options)
    boxes = missed = added = 0
    px = score = 0.0
    for path in pictures:
        image = _placed(cv2.imread(str(path)), size)
        theirs = _theirs(model, image, size)
        ours = _ours(session, image)
        boxes += len(theirs)
        added += max(0, len(ours) - len(theirs))
        for row in theirs:
            same = ours[ours[:, 5] == row[5]]
            overlaps = _overlaps(same[:, :4], row[:4])
            if not len(same) or overlaps.max() < SAME_OBJECT:
                missed += 1
                continue
            twin = same[int(overlaps.argmax())]
            px = max(px, float(np.abs(twin[:4] - row[:4]).max()))
            score = max(score, float(abs(twin[4] - row[4])))
    return Parity(boxes=boxes, missed=missed, added=added, px=px, score=score)


def _overlaps(boxes: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return intersection over union of each of ``boxes`` with ``other``, as corners."""
    low, high = np.maximum(boxes[:, :2], other[:2]), np.minimum(boxes[:, 2:], other[2:])
    common = np.clip(high - low, 0, None).prod(1)
    return common / ((boxes[:, 2:] - boxes[:, :2]).prod(1) + (other[2:] - other[:2]).prod() - common)


def _placed(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the picture on a grey canvas of ``size``, so that both sides see the very same pixels."""
    height, width = size
    scale = min(height / image.shape[0], width / image.shape[1])
    inner = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    canvas = np.full((height, width, 3), 114, np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner)
    return canvas


def _theirs(model, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    result = model.predict(image, imgsz=list(size), conf=LEAST_SCORE, verbose=False, device="cpu")[0]
    return result.boxes.data.cpu().numpy()


def _ours(session: onnxruntime.InferenceSession, image: np.ndarray) -> np.ndarray:
    """Return rows of x1, y1, x2, y2, score, class from a dense ([1, 84, N]) or an end-to-end ([1, N, 6]) output."""
    tensor = np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1)[None], np.float32) / 255
    output = session.run(None, {session.get_inputs()[0].name: tensor})[0][0]
    if output.shape[1] == 6:
        return output[output[:, 4] > LEAST_SCORE]
    rows = output.T
    scores, classes = rows[:, 4:].max(1), rows[:, 4:].argmax(1)
    rows, scores, classes = (part[scores > LEAST_SCORE] for part in (rows, scores, classes))
    corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], 1)
    kept = _suppressed(corners, scores, classes)
    return np.concatenate([corners, scores[:, None], classes[:, None]], 1)[kept]


def _suppressed(corners: np.ndarray, scores: np.ndarray, classes: np.ndarray) -> list[int]:
    """Return what greedy suppression within each class leaves, at ultralytics' overlap of 0.7."""
    if not len(scores):
        return []
    apart = corners + (classes * 7680.0)[:, None]
    sides = np.concatenate([apart[:, :2], apart[:, 2:] - apart[:, :2]], 1)
    return [int(index) for index in np.ravel(cv2.dnn.NMSBoxes(sides.tolist(), scores.tolist(), LEAST_SCORE, 0.7))]
