"""Takes quantisation back where it costs more than it saves, and where it makes wrong sums.

An INT8 file (quantise and dequantise nodes around each operation) is computed in float32 again in three places:

1. **The first convolution**, with its activation. It has three channels, for which the INT8 kernels have no use; and
   on x86 without VNNI the fast ones add products in 16 bits that saturate. Pixels are bright by the thousand and so
   do that there; behind an activation nearly all values are small, and hardly any sum does.
2. **Convolutions whose results are used in float32 anyway**: the heads, whose activations are not quantised.
3. **Softmax**, which the runtime computes slower from bytes than from numbers.

What it does for speed and accuracy is in docs/models.md. Pure; runs once, in the thread that loads a model.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detectors.onnx_graph import Node, OnnxFile, operation

_QUANTISE, _DEQUANTISE = "QuantizeLinear", "DequantizeLinear"


def float_again(file: OnnxFile) -> OnnxFile:
    """Return the model with float32 in those places; ``file`` itself where its first convolution is not quantised."""
    first = [node for node in file.nodes if node.operator == "Conv" and _unquantised(file, node) in file.inputs]
    if not first:
        return file
    last = [node for node in file.nodes if node.operator == "Conv" and _ends_in_float(file, node)]
    convolutions = {node.outputs[0]: node for node in (*first, *last)}
    values = {*convolutions, *(name for node in first for name in (_unquantised(file, node), *_gates(file, node)))}
    values |= {name for node in last if (name := _unquantised(file, node)) and _is_read_by(file, name, convolutions)}
    values |= {
        name for node in file.nodes if node.operator == "Softmax" for name in (_unquantised(file, node), *node.outputs)
    }
    changes: dict[str, list[bytes]] = {}
    constants: dict[str, NDArray[np.float32]] = {}
    for name, node in convolutions.items():
        numbers = [_dequantised(file, constant) for constant in node.inputs[1:]]
        if any(each is None for each in numbers):
            return file
        given = {f"{name}:{place}": each for place, each in enumerate(numbers) if each is not None}
        constants |= given
        changes[name] = [node.moved([node.inputs[0], *given], name)]
    for name in values:
        for node in _readers(file, name):
            changes[node.outputs[0]] = [operation("Identity", [name], node.outputs[0])]
    return file.changed(changes, constants)


def _unquantised(file: OnnxFile, node: Node) -> str:
    """Return the value that was quantised and dequantised to be the node's first input; empty if none was."""
    back = file.maker(node.inputs[0], _DEQUANTISE) if node.inputs else None
    there = file.maker(back.inputs[0], _QUANTISE) if back is not None else None
    return "" if there is None else there.inputs[0]


def _readers(file: OnnxFile, name: str) -> list[Node]:
    """Return what dequantises a value that was quantised."""
    quantised = [node.outputs[0] for node in file.users(name) if node.operator == _QUANTISE]
    return [node for there in quantised for node in file.users(there) if node.operator == _DEQUANTISE]


def _users(file: OnnxFile, name: str) -> list[Node]:
    """Return the operations on a value after it was quantised and dequantised."""
    return [user for node in _readers(file, name) for user in file.users(node.outputs[0])]


def _is_read_by(file: OnnxFile, name: str, makers: Iterable[str]) -> bool:
    known = set(makers)
    return all(not known.isdisjoint(user.outputs) for user in _users(file, name))


def _ends_in_float(file: OnnxFile, node: Node) -> bool:
    users = _users(file, node.outputs[0])
    return bool(users) and not any(_is_quantised(file, user) for user in users)


def _is_quantised(file: OnnxFile, node: Node) -> bool:
    """Whether an operation has nothing but quantised values and constants around it."""
    after = [user.operator for name in node.outputs for user in file.users(name)]
    before = [name for name in node.inputs if name in file.makers and file.constant(name) is None]
    return set(after) == {_QUANTISE} and all(file.maker(name, _DEQUANTISE) is not None for name in before)


def _gates(file: OnnxFile, node: Node) -> list[str]:
    """Return the values inside the activation of a convolution: x · sigmoid(x) is quantised after each of the two."""
    return [name for user in _users(file, node.outputs[0]) if user.operator == "Sigmoid" for name in user.outputs]


def _dequantised(file: OnnxFile, name: str) -> NDArray[np.float32] | None:
    """Return a constant that is stored in whole numbers, each channel with its scale."""
    node = file.maker(name, _DEQUANTISE)
    numbers, scale, zero = (file.constant(one) for one in node.inputs) if node is not None else (None, None, None)
    if numbers is None or scale is None or zero is None or zero.any() or scale.ndim > 1:
        return None
    along = scale.reshape(-1, *[1] * (numbers.ndim - 1)) if scale.ndim else scale
    return np.asarray(numbers * along, np.float32)
