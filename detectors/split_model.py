"""Splits an ultralytics detection model where it begins to compute boxes, so that few of them have to be.

A dense model computes a box for every one of 6,300 places, and a picture holds a handful: those layers were a quarter
of its time. The ``trunk`` says at which places something is; ``detectors.sparse_boxes`` shows the ``heads`` only what
lies around those. The numbers stay the same, but fewer are computed.
Source: ``Detect`` of ultralytics 8.4: for each of three scales two 3×3 convolutions and a 1×1 one on the same features
that the scores come from; distributions of distances as in Generalized Focal Loss (arXiv:2006.04388).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from detectors.onnx_graph import Node, OnnxFile

REACH = 2
"""A box depends on the features this many places around its own, in each direction: that of two 3×3 convolutions."""
_CONVOLUTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitModel:
    """The parts of a model, as files.

    ``trunk`` makes of a picture for each scale raw scores [1, C, h·w], before the sigmoid, and then for each scale
    features [1, F, h, w]; the head of that scale makes of such features, or of a part of them, raw distributions
    [1, 64, h, w]. ``heads`` has them by the name of their features, in the order of the trunk's outputs.
    """

    trunk: bytes
    heads: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """The names of a scale's features and of its distributions."""

    features: str
    distributions: str


def split(file: OnnxFile) -> SplitModel | None:
    """Return the parts of a model, or ``None`` if it is not built as ultralytics' dense ones; it is then run whole."""
    ends = _ends(file)
    if ends is None:
        return None
    boxes, scores = ends
    scales = [_scale(file, *pair) for pair in zip(boxes.inputs, scores.inputs, strict=True)]
    found = [scale for scale in scales if scale is not None]
    if len(found) < len(scales):
        return None
    return SplitModel(
        trunk=file.part(dict.fromkeys(scores.inputs, 3) | {scale.features: 4 for scale in found}),
        heads={one.features: file.part({one.distributions: 4}, inputs={one.features: 4}) for one in found},
    )


def _ends(file: OnnxFile) -> tuple[Node, Node] | None:
    """Return the nodes that join the distributions and the raw scores of all scales."""
    end = file.maker(file.outputs[0], "Concat") if len(file.outputs) == 1 else None
    if end is None or len(end.inputs) != 2:
        return None
    last, activated = file.makers.get(end.inputs[0]), file.maker(end.inputs[1], "Sigmoid")
    node = _nearest(file, last, "Softmax") if last is not None else None
    for operator in ("Transpose", "Reshape", "Concat"):
        node = file.maker(node.inputs[0], operator) if node is not None else None
    scores = file.maker(activated.inputs[0], "Concat") if activated is not None else None
    if node is None or scores is None or len(node.inputs) != len(scores.inputs):
        return None
    return node, scores


def _scale(file: OnnxFile, flat: str, flat_scores: str) -> _Scale | None:
    """Return one scale's names, given those of its distributions and its scores in a row."""
    boxes, scores = (file.maker(name, "Reshape") for name in (flat, flat_scores))
    if boxes is None or scores is None:
        return None
    of_scores = file.needed_for([scores.inputs[0]])
    shared: set[str] = set()
    convolutions: set[str] = set()
    waiting, seen = [boxes.inputs[0]], set[str]()
    while waiting:
        name = waiting.pop()
        node = file.makers.get(name)
        if name in seen or node is None or node.operator == "Constant":
            continue
        seen.add(name)
        if name in of_scores:
            shared.add(name)
            continue
        if node.operator == "Conv":
            convolutions.add(name)
        waiting += node.inputs
    if len(shared) != 1 or len(convolutions) != _CONVOLUTIONS:
        return None
    return _Scale(features=shared.pop(), distributions=boxes.inputs[0])


def _nearest(file: OnnxFile, start: Node, operator: str) -> Node | None:
    """Return the first node of that kind on the way back from ``start``, nearest first."""
    waiting, seen = [start], {id(start)}
    for node in waiting:
        if node.operator == operator:
            return node
        for name in node.inputs:
            before = file.makers.get(name)
            if before is not None and id(before) not in seen:
                seen.add(id(before))
                waiting.append(before)
    return None
