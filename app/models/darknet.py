"""Turn a Darknet network (``.cfg`` + ``.weights``) into ONNX.

Owns the meaning of the Darknet layers that YOLOv3-tiny uses: convolutional, maxpool, upsample, route and yolo.
OpenCV 5 no longer reads Darknet files. Runs at set-up in the thread that fetches models; it executes nothing
from the files. Format and arithmetic: https://github.com/pjreddie/darknet (src/parser.c, src/*_layer.c).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.contract.errors import UserFacing
from app.models.onnx_file import OnnxGraph

_LEAKY_SLOPE = 0.1
_BATCH_NORM_EPSILON = 1e-6  # normalize_cpu divides by sqrt(variance) + .000001


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """What a layer yields: the ONNX value's name and its channels × height × width."""

    value: str
    channels: int
    height: int
    width: int


@dataclass(slots=True)
class _Weights:
    """A cursor over the float32 parameters of a ``.weights`` file."""

    data: NDArray[np.float32]
    at: int = 0

    def take(self, *shape: int) -> NDArray[np.float32]:
        count = int(np.prod(shape))
        if self.at + count > len(self.data):
            raise _refusal("The weights end before the network does.")
        part = self.data[self.at : self.at + count].reshape(shape)
        self.at += count
        return part


@dataclass(slots=True, kw_only=True)
class _Network:
    graph: OnnxGraph
    input_height: int
    input_width: int
    layers: list[_Layer]
    weights: _Weights
    heads: list[_Layer] = field(default_factory=list)


def darknet_to_onnx(cfg: str, weights: bytes, *, size: tuple[int, int] | None = None) -> bytes:
    """Return the bytes of an ONNX model for pictures of ``size`` (height, width), by default the cfg's own size.

    Its input ``images`` is [1, 3, H, W] float32 RGB 0..1, its output ``output`` [1, N, 5 + classes] float32: centre
    x, centre y, width, height in input pixels, objectness and class scores 0..1, the heads in the order of the
    cfg, anchors outermost, then rows, then columns. Raises ``UserFacing`` for what is not understood.
    """
    sections = parse_cfg(cfg)
    if not sections or sections[0][0] != "net":
        raise _refusal("The network description does not begin with [net].")
    net = sections[0][1]
    channels = int(net["channels"])
    height, width = size or (int(net["height"]), int(net["width"]))
    graph = OnnxGraph(name="darknet")
    image = _Layer(
        value=graph.input("images", (1, channels, height, width)), channels=channels, height=height, width=width
    )
    network = _Network(
        graph=graph, input_height=height, input_width=width, layers=[], weights=_Weights(_read_weights(weights))
    )
    for kind, options in sections[1:]:
        before = network.layers[-1] if network.layers else image
        network.layers.append(_add_layer(network, kind, options, before))
    if network.weights.at != len(network.weights.data):
        raise _refusal("The weights hold more than the network needs.")
    return _finish(network)


def parse_cfg(cfg: str) -> list[tuple[str, dict[str, str]]]:
    """Return the sections of a Darknet cfg in order, each with its options."""
    sections: list[tuple[str, dict[str, str]]] = []
    for raw in cfg.splitlines():
        line = raw.split("#")[0].strip()
        if line.startswith("["):
            sections.append((line.strip("[]"), {}))
        elif line:
            key, _, value = line.partition("=")
            sections[-1][1][key.strip()] = value.strip()
    return sections


def _read_weights(weights: bytes) -> NDArray[np.float32]:
    major, minor, _revision = struct.unpack_from("<3i", weights)
    # Since version 0.2 the count of seen pictures is 64 bits wide (load_weights_upto).
    header = 20 if major * 10 + minor >= 2 else 16
    return np.frombuffer(weights, "<f4", offset=header)


def _add_layer(network: _Network, kind: str, options: dict[str, str], before: _Layer) -> _Layer:
    match kind:
        case "convolutional":
            return _convolution(network, options, before)
        case "maxpool":
            return _max_pool(network.graph, options, before)
        case "upsample":
            return _upsample(network.graph, options, before)
        case "route":
            return _route(network, options)
        case "yolo":
            return _yolo(network, options, before)
    raise _refusal(f"The layer [{kind}] is not known.")


def _convolution(network: _Network, options: dict[str, str], before: _Layer) -> _Layer:
    size, stride, filters = (int(options.get(key, "1")) for key in ("size", "stride", "filters"))
    padding = size // 2 if options.get("pad") == "1" else int(options.get("padding", "0"))
    weights, bias = _folded(network.weights, options, (filters, before.channels, size, size))
    graph = network.graph
    value = graph.add(
        "Conv",
        [before.value, graph.constant(weights), graph.constant(bias)],
        kernel_shape=[size, size],
        strides=[stride, stride],
        pads=[padding] * 4,
    )
    activation = options.get("activation", "logistic")
    if activation == "leaky":
        value = graph.add("LeakyRelu", [value], alpha=_LEAKY_SLOPE)
    elif activation != "linear":
        raise _refusal(f"The activation {activation} is not known.")
    height = (before.height + 2 * padding - size) // stride + 1
    width = (before.width + 2 * padding - size) // stride + 1
    return _Layer(value=value, channels=filters, height=height, width=width)


def _folded(
    cursor: _Weights, options: dict[str, str], shape: tuple[int, int, int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read a convolution's weights and bias, the batch normalisation already folded into them."""
    filters = shape[0]
    bias = cursor.take(filters)
    if options.get("batch_normalize") != "1":
        return cursor.take(*shape), bias
    scale, mean, variance = (cursor.take(filters) for _ in range(3))
    weights = cursor.take(*shape)
    # IEEE arithmetic in float64 and one rounding: the same bytes on every machine.
    factor = scale.astype(np.float64) / (np.sqrt(variance.astype(np.float64)) + _BATCH_NORM_EPSILON)
    folded = (weights * factor[:, None, None, None]).astype(np.float32)
    return folded, (bias - mean * factor).astype(np.float32)


def _max_pool(graph: OnnxGraph, options: dict[str, str], before: _Layer) -> _Layer:
    stride = int(options.get("stride", "1"))
    size = int(options.get("size", str(stride)))
    padding = int(options.get("padding", str(size - 1)))
    begin, end = padding // 2, padding - padding // 2
    value = graph.add(
        "MaxPool",
        [before.value],
        kernel_shape=[size, size],
        strides=[stride, stride],
        pads=[begin, begin, end, end],
    )
    height = (before.height + padding - size) // stride + 1
    width = (before.width + padding - size) // stride + 1
    return _Layer(value=value, channels=before.channels, height=height, width=width)


def _upsample(graph: OnnxGraph, options: dict[str, str], before: _Layer) -> _Layer:
    factor = int(options["stride"])
    scales = graph.constant(np.array([1, 1, factor, factor], np.float32))
    value = graph.add(
        "Resize",
        [before.value, "", scales],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    return _Layer(value=value, channels=before.channels, height=before.height * factor, width=before.width * factor)


def _route(network: _Network, options: dict[str, str]) -> _Layer:
    here = len(network.layers)
    chosen = [int(index) for index in options["layers"].split(",")]
    parts = [network.layers[index if index >= 0 else here + index] for index in chosen]
    if len(parts) == 1:
        return parts[0]
    value = network.graph.add("Concat", [part.value for part in parts], axis=1)
    channels = sum(part.channels for part in parts)
    return _Layer(value=value, channels=channels, height=parts[0].height, width=parts[0].width)


def _yolo(network: _Network, options: dict[str, str], before: _Layer) -> _Layer:
    """Decode one head into boxes in input pixels: x = (sigmoid + column) × stride, w = exp × anchor."""
    graph, rows, columns = network.graph, before.height, before.width
    numbers = [float(text) for text in options["anchors"].split(",")]
    anchors = [numbers[2 * int(index) : 2 * int(index) + 2] for index in options["mask"].split(",")]
    fields = 5 + int(options["classes"])
    shape = np.array([1, len(anchors), fields, rows, columns], np.int64)
    cells = graph.add("Reshape", [before.value, graph.constant(shape)])
    cells = graph.add("Transpose", [cells], perm=[0, 1, 3, 4, 2])

    centre = graph.add("Sigmoid", [_fields(graph, cells, 0, 2)])
    row, column = np.mgrid[0:rows, 0:columns].astype(np.float32)
    centre = graph.add("Add", [centre, graph.constant(np.stack([column, row], -1)[None, None])])
    stride = np.array([network.input_width / columns, network.input_height / rows], np.float32)
    centre = graph.add("Mul", [centre, graph.constant(stride)])

    size = graph.add("Exp", [_fields(graph, cells, 2, 4)])
    size = graph.add("Mul", [size, graph.constant(np.array(anchors, np.float32)[None, :, None, None])])
    scores = graph.add("Sigmoid", [_fields(graph, cells, 4, fields)])

    joined = graph.add("Concat", [centre, size, scores], axis=4)
    count = len(anchors) * rows * columns
    flat = graph.add("Reshape", [joined, graph.constant(np.array([1, count, fields], np.int64))])
    head = _Layer(value=flat, channels=1, height=count, width=fields)
    network.heads.append(head)
    return head


def _fields(graph: OnnxGraph, value: str, start: int, end: int) -> str:
    limits: Sequence[int] = (start, end, 4)
    return graph.add("Slice", [value, *(graph.constant(np.array([limit], np.int64)) for limit in limits)])


def _finish(network: _Network) -> bytes:
    if not network.heads:
        raise _refusal("The network has no [yolo] layer.")
    graph = network.graph
    graph.add("Concat", [head.value for head in network.heads], axis=1, output="output")
    graph.output("output", (1, sum(head.height for head in network.heads), network.heads[0].width))
    return graph.serialise(properties={"form": "darknet-heads"})


def _refusal(reason: str) -> UserFacing:
    return UserFacing(f"A Darknet model can't be read: {reason}", advice="Use another model.", code="E-MODEL-FORMAT")
