"""Make an INT8 model from a floating-point one, as docs/models.md found best for ONNX Runtime.

Runs on build machines, in the script's only thread. The head's arithmetic stays in floating point: in INT8 its box
sizes and scores share one scale and lose both.
"""

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

# SiLU is Mul and Sigmoid: left in floating point they cost 1.2 to 2 times the whole network's time.
_QUANTISED = ["Conv", "MatMul", "Add", "Mul", "Sigmoid", "Concat", "MaxPool", "Resize", "Split"]
_FLOATING = {"TopK", "Gather", "GatherElements", "GatherND", "Softmax"}


def quantise(source: Path, target: Path, pictures: list[Path], size: tuple[int, int]) -> None:
    """Write ``target``, quantised with ``pictures`` at ``size`` (height, width) as calibration."""
    prepared = target.with_suffix(".prepared.onnx")
    quant_pre_process(str(source), str(prepared))
    network = onnx.load(str(prepared))
    quantize_static(
        str(prepared),
        str(target),
        _Pictures(network.graph.input[0].name, pictures, size),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        op_types_to_quantize=_QUANTISED,
        nodes_to_exclude=_kept_floating(network),
    )
    prepared.unlink()


def _kept_floating(network: onnx.ModelProto) -> list[str]:
    head = _head_prefix(network)
    return [
        node.name
        for node in network.graph.node
        if node.op_type in _FLOATING or (node.name.startswith(head) and node.op_type != "Conv")
    ]


def _head_prefix(network: onnx.ModelProto) -> str:
    """Return ``/model.23/``: ultralytics names nodes by layer, and the last layer is the head."""
    layers = [
        int(node.name.split("/")[1].removeprefix("model.")) for node in network.graph.node if "/model." in node.name
    ]
    return f"/model.{max(layers)}/"


class _Pictures(CalibrationDataReader):
    """Calibration pictures as the network's input."""

    def __init__(self, name: str, pictures: list[Path], size: tuple[int, int]) -> None:
        self._name, self._size = name, size
        self._left = iter(pictures)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next picture, ``None`` after the last."""
        path = next(self._left, None)
        if path is None:
            return None
        image = cv2.imread(str(path))
        height, width = self._size
        scale = min(height / image.shape[0], width / image.shape[1])
        inner = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        canvas = np.full((height, width, 3), 114, np.uint8)
        top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
        canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner)
        return {self._name: np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[None], np.float32) / 255}
