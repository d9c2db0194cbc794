"""The TFLite converter against TFLite's arithmetic, written out plainly."""

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from app.contract.errors import UserFacing
from app.models.tflite import tflite_to_onnx
from tests.unit.tflite_file import Byte, TfliteFile

ADD, CONCATENATION, CONV, DEPTHWISE, DEQUANTIZE, MAX_POOL, RELU, RESHAPE, PAD = 0, 2, 3, 4, 6, 17, 19, 22, 34
SAME, VALID, NO_ACTIVATION, RELU_ACTIVATION, RELU6 = Byte(0), Byte(1), Byte(0), Byte(1), Byte(3)

Floats = NDArray[np.float32]


def run(data: bytes, image: Floats) -> list[Floats]:
    model = tflite_to_onnx(data)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    return list(
        onnxruntime.InferenceSession(model, onnxruntime.SessionOptions(), ["CPUExecutionProvider"]).run(
            None, {"input": image}
        )
    )


def same_convolution(image: Floats, weights: Floats, stride: int) -> Floats:
    """Convolve 1×H×W×C with out×h×w×in, padded so that the output is ceil(size / stride); odd pixels go to the end."""
    side, kernel = image.shape[1], weights.shape[1]
    out = -(-side // stride)
    total = max((out - 1) * stride + kernel - side, 0)
    begin = total // 2
    padded = np.pad(image[0], ((begin, total - begin), (begin, total - begin), (0, 0)))
    result = np.zeros((1, out, out, weights.shape[0]), np.float32)
    for y in range(out):
        for x in range(out):
            window = padded[y * stride : y * stride + kernel, x * stride : x * stride + kernel]
            result[0, y, x] = np.tensordot(weights, window, 3)
    return result


def test_a_strided_convolution_with_half_precision_weights() -> None:
    """Stride 2 on an even side is where SAME padding is lopsided."""
    random = np.random.default_rng(1)
    image = random.normal(size=(1, 6, 6, 3)).astype(np.float32)
    half = random.normal(size=(4, 3, 3, 3)).astype(np.float16)
    bias = random.normal(size=4).astype(np.float32)
    file = TfliteFile()
    source = file.value((1, 6, 6, 3), "input")
    weights = file.operator(DEQUANTIZE, [file.constant(half)], file.value((4, 3, 3, 3), "weights"))
    output = file.value((1, 3, 3, 4), "output")
    options: dict[int, object] = {0: SAME, 1: 2, 2: 2, 3: RELU_ACTIVATION}
    file.operator(CONV, [source, weights, file.constant(bias)], output, options)
    (result,) = run(file.save([source], [output]), image)
    wanted = np.maximum(same_convolution(image, half.astype(np.float32), 2) + bias, 0)
    np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-4)


def test_a_depthwise_convolution() -> None:
    random = np.random.default_rng(2)
    image = random.normal(size=(1, 5, 5, 3)).astype(np.float32)
    kernel = random.normal(size=(1, 3, 3, 3)).astype(np.float32)
    file = TfliteFile()
    source, output = file.value((1, 5, 5, 3), "input"), file.value((1, 5, 5, 3), "output")
    constants = [file.constant(kernel), file.constant(np.zeros(3, np.float32))]
    file.operator(DEPTHWISE, [source, *constants], output, {0: SAME, 1: 1, 2: 1, 3: 1, 4: NO_ACTIVATION})
    (result,) = run(file.save([source], [output]), image)
    per_channel = [
        same_convolution(image[..., c : c + 1], kernel[0, :, :, c][None, ..., None], 1)[0, ..., 0] for c in range(3)
    ]
    np.testing.assert_allclose(result[0], np.stack(per_channel, -1), rtol=1e-4, atol=1e-4)


def test_the_shortcut_of_a_block_pool_pad_add_relu() -> None:
    image = np.random.default_rng(3).normal(size=(1, 4, 4, 2)).astype(np.float32)
    file = TfliteFile()
    source = file.value((1, 4, 4, 2), "input")
    options: dict[int, object] = {0: SAME, 1: 2, 2: 2, 3: 2, 4: 2, 5: NO_ACTIVATION}
    pooled = file.operator(MAX_POOL, [source], file.value((1, 2, 2, 2), "pooled"), options)
    widths = np.array([[0, 0], [0, 0], [0, 0], [0, 1]], np.int32)
    wider = file.operator(PAD, [pooled, file.constant(widths)], file.value((1, 2, 2, 3), "wider"))
    twice = file.operator(ADD, [wider, wider], file.value((1, 2, 2, 3), "twice"))
    output = file.operator(RELU, [twice], file.value((1, 2, 2, 3), "output"))
    (result,) = run(file.save([source], [output]), image)
    small = image.reshape(1, 2, 2, 2, 2, 2).max((2, 4))
    wanted = np.maximum(2 * np.pad(small, ((0, 0), (0, 0), (0, 0), (0, 1))), 0)
    np.testing.assert_allclose(result, wanted, rtol=1e-6)


def test_reshaping_reads_channels_last_and_outputs_keep_their_order() -> None:
    image = np.arange(2 * 2 * 3, dtype=np.float32).reshape(1, 2, 2, 3)
    file = TfliteFile()
    source = file.value((1, 2, 2, 3), "input")
    rows = file.operator(RESHAPE, [source], file.value((1, 4, 3), "rows"))
    joined = file.operator(CONCATENATION, [rows, rows], file.value((1, 8, 3), "joined"), {0: 1, 1: NO_ACTIVATION})
    deep = file.operator(CONCATENATION, [source, source], file.value((1, 2, 2, 6), "deep"), {0: 3, 1: NO_ACTIVATION})
    first, second = run(file.save([source], [deep, joined]), image)
    np.testing.assert_array_equal(first, np.concatenate([image, image], 3))
    np.testing.assert_array_equal(second, np.concatenate([image.reshape(1, 4, 3)] * 2, 1))


def test_what_is_not_known_is_named() -> None:
    file = TfliteFile()
    source, output = file.value((1, 2, 2, 3), "input"), file.value((1, 2, 2, 3), "output")
    file.operator(99, [source], output)
    with pytest.raises(UserFacing, match="operator 99"):
        tflite_to_onnx(file.save([source], [output]))
    file = TfliteFile()
    source, output = file.value((1, 2, 2, 3), "input"), file.value((1, 2, 2, 3), "output")
    file.operator(ADD, [source, source], output, {0: RELU6})
    with pytest.raises(UserFacing, match="activation 3"):
        tflite_to_onnx(file.save([source], [output]))


def test_a_broken_file_is_refused_in_a_sentence() -> None:
    file = TfliteFile()
    source = file.value((1, 2, 2, 3), "input")
    whole = file.save([source], [source])
    with pytest.raises(UserFacing, match="TensorFlow Lite"):
        tflite_to_onnx(b"not a model, but long enough")
    for length in range(8, len(whole) - 60, 7):
        with pytest.raises(UserFacing, match="TensorFlow Lite"):
            tflite_to_onnx(whole[:length])
