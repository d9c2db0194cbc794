"""Stops an ultralytics detection model before the last layers, which turn every one of 6,300 places into a box.

A picture holds a handful of boxes, so ``detectors.decoders`` makes just those: the softmax over 25,200 distributions
alone was a twelfth of the model's time. The numbers stay the same; only where they are computed changes.
Source: ``Detect._inference`` and ``DFL`` of ultralytics 8.4 (Generalized Focal Loss, arXiv:2006.04388).
"""

from detectors.onnx_graph import Node, OnnxFile


def without_box_decoding(data: bytes) -> bytes | None:
    """Return the model with two outputs, [1, 64, N] distributions and [1, C, N] scores before the sigmoid.

    ``None`` if it does not end as ultralytics' dense models do; it then has to be run whole.
    """
    try:
        file = OnnxFile(data)
        cuts = _cuts(file)
    except ValueError:
        return None
    return file.ending_at(cuts) if cuts is not None else None


def _cuts(file: OnnxFile) -> tuple[str, str] | None:
    """Return the names of the distributions and of the raw scores."""
    end = file.makers.get(file.outputs[0]) if len(file.outputs) == 1 else None
    if end is None or end.operator != "Concat" or len(end.inputs) != 2:
        return None
    boxes, scores = (file.makers.get(name) for name in end.inputs)
    if boxes is None or scores is None or scores.operator != "Sigmoid":
        return None
    softmax = _nearest(file, boxes, "Softmax")
    chain = [softmax]
    for operator in ("Transpose", "Reshape"):
        before = file.makers.get(chain[-1].inputs[0]) if chain[-1] is not None else None
        chain.append(before if before is not None and before.operator == operator else None)
    reshape = chain[-1]
    return (reshape.inputs[0], scores.inputs[0]) if reshape is not None else None


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
