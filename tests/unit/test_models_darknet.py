"""The Darknet converter against Darknet's arithmetic, written out plainly."""

import struct

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from app.contract.errors import UserFacing
from app.models.darknet import darknet_to_onnx, parse_cfg

CFG = """
[net]
width=8
height=8
channels=3   # a comment

[convolutional]
batch_normalize=1
filters=4
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[maxpool]
size=2
stride=1

[convolutional]
filters=14
size=1
stride=1
pad=1
activation=linear

[yolo]
mask=1,2
anchors=1,2, 3,4, 5,6
classes=2

[route]
layers=-4

[upsample]
stride=2

[route]
layers=-1,0
"""

Floats = NDArray[np.float32]


def parameters(random: np.random.Generator) -> dict[str, Floats]:
    return {
        "beta": random.normal(size=4).astype(np.float32),
        "gamma": random.uniform(0.5, 2, 4).astype(np.float32),
        "mean": random.normal(size=4).astype(np.float32),
        "variance": random.uniform(0.5, 2, 4).astype(np.float32),
        "first": random.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "bias": random.normal(size=14).astype(np.float32),
        "second": random.normal(size=(14, 4, 1, 1)).astype(np.float32),
    }


def weights_file(values: dict[str, Floats], version: tuple[int, int] = (0, 2)) -> bytes:
    header = struct.pack("<3i", *version, 0) + (struct.pack("<q", 99) if version >= (0, 2) else struct.pack("<i", 99))
    return header + b"".join(part.tobytes() for part in values.values())


def expected(values: dict[str, Floats], image: Floats) -> Floats:
    """Do what Darknet does, pixel by pixel."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    first = np.zeros((4, 8, 8), np.float64)
    for y in range(8):
        for x in range(8):
            first[:, y, x] = np.tensordot(values["first"], padded[:, y : y + 3, x : x + 3], 3)
    column = {name: values[name][:, None, None] for name in ("beta", "gamma", "mean", "variance")}
    first = (first - column["mean"]) / (np.sqrt(column["variance"]) + 1e-6) * column["gamma"] + column["beta"]
    first = np.where(first > 0, first, 0.1 * first)
    pooled = first.reshape(4, 4, 2, 4, 2).max((2, 4))
    edge = np.pad(pooled, ((0, 0), (0, 1), (0, 1)), constant_values=-np.inf)
    pooled = np.maximum.reduce([edge[:, :-1, :-1], edge[:, 1:, :-1], edge[:, :-1, 1:], edge[:, 1:, 1:]])
    raw = np.tensordot(values["second"][:, :, 0, 0], pooled, 1) + values["bias"][:, None, None]
    rows = []
    for anchor, (wide, high) in enumerate(((3, 4), (5, 6))):
        for y in range(4):
            for x in range(4):
                cell = raw[anchor * 7 : anchor * 7 + 7, y, x]
                squashed = 1 / (1 + np.exp(-cell))
                box = [(squashed[0] + x) * 2, (squashed[1] + y) * 2, np.exp(cell[2]) * wide, np.exp(cell[3]) * high]
                rows.append([*box, *squashed[4:]])
    return np.array(rows, np.float32)


@pytest.mark.parametrize("version", [(0, 1), (0, 2)])
def test_the_converted_network_computes_what_darknet_computes(version: tuple[int, int]) -> None:
    random = np.random.default_rng(3)
    values = parameters(random)
    image = random.uniform(size=(3, 8, 8)).astype(np.float32)
    model = darknet_to_onnx(CFG, weights_file(values, version))
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    (output,) = onnxruntime.InferenceSession(model, onnxruntime.SessionOptions(), ["CPUExecutionProvider"]).run(
        None, {"images": image[None]}
    )
    assert output.shape == (1, 32, 7)
    np.testing.assert_allclose(output[0], expected(values, image), rtol=1e-4, atol=1e-5)


def test_the_same_weights_give_the_same_bytes() -> None:
    data = weights_file(parameters(np.random.default_rng(5)))
    assert darknet_to_onnx(CFG, data) == darknet_to_onnx(CFG, data)


def test_another_input_size_changes_the_grid() -> None:
    model = darknet_to_onnx(CFG, weights_file(parameters(np.random.default_rng(5))), size=(4, 16))
    session = onnxruntime.InferenceSession(model, onnxruntime.SessionOptions(), ["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [1, 3, 4, 16]
    assert session.get_outputs()[0].shape == [1, 2 * 2 * 8, 7]


def test_upsampling_repeats_pixels_and_routes_join_channels() -> None:
    """The layers behind the head in the test network: their sizes are checked by ONNX itself."""
    model = onnx.load_from_string(darknet_to_onnx(CFG, weights_file(parameters(np.random.default_rng(5)))))
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    shapes = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim] for value in inferred.graph.value_info
    }
    resized = next(node for node in model.graph.node if node.op_type == "Resize")
    joined = next(node for node in model.graph.node if node.op_type == "Concat" and resized.output[0] in node.input)
    assert shapes[resized.output[0]] == [1, 4, 8, 8]
    assert shapes[joined.output[0]] == [1, 8, 8, 8]


def test_weights_that_do_not_fit_are_refused() -> None:
    data = weights_file(parameters(np.random.default_rng(5)))
    with pytest.raises(UserFacing, match="end before the network"):
        darknet_to_onnx(CFG, data[:-4])
    with pytest.raises(UserFacing, match="more than the network needs"):
        darknet_to_onnx(CFG, data + bytes(4))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("[maxpool]", "[reorg]"), "reorg"),
        (("activation=leaky", "activation=mish"), "mish"),
        (("[net]", "[network]"), r"\[net\]"),
    ],
)
def test_what_is_not_known_is_named(change: tuple[str, str], reason: str) -> None:
    data = weights_file(parameters(np.random.default_rng(5)))
    with pytest.raises(UserFacing, match=reason):
        darknet_to_onnx(CFG.replace(*change), data)


def test_a_cfg_is_read_in_order_without_comments() -> None:
    sections = parse_cfg(CFG)
    assert [name for name, _ in sections][:3] == ["net", "convolutional", "maxpool"]
    assert sections[0][1] == {"width": "8", "height": "8", "channels": "3"}
