"""One model file in ONNX Runtime: checked, loaded, warmed up. The only place that imports the inference runtime.

Runs in whichever thread calls it; a ``Model`` is used by one thread at a time. It never downloads, never loads
a file whose SHA-256 is not the one in the catalogue, and never writes.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from app.contract.errors import UserFacing
from detectors.catalogue import ModelCard

Array = NDArray[np.generic]
_KEPT: ContextVar[dict[tuple[str, str], "Model"] | None] = ContextVar("kept_models", default=None)


class Model:
    """A loaded model. ``inputs`` and ``outputs`` map a name to its shape; ``None`` marks a dimension that may vary."""

    def __init__(self, session: onnxruntime.InferenceSession, card: ModelCard) -> None:
        self._session = session
        self.card = card
        self.inputs = _shapes(session.get_inputs())
        self.outputs = _shapes(session.get_outputs())

    @property
    def input_name(self) -> str:
        """The first input's name; models for pictures have only one."""
        return next(iter(self.inputs))

    def run(self, inputs: Mapping[str, Array]) -> list[NDArray[np.float32]]:
        """Return the outputs in the model's order."""
        return self._session.run(None, inputs)

    def warm_up(self, probe: Mapping[str, Array] | None = None) -> None:
        """Run once, on ``probe`` or on a black picture, so that the first real one does not pay for the set-up."""
        if probe is None:
            height, width = self.card.input
            channels_first = self.inputs[self.input_name][1] == 3
            shape = (1, 3, height, width) if channels_first else (1, height, width, 3)
            probe = {self.input_name: np.zeros(shape, np.float32)}
        self.run(probe)


def read_verified(path: Path, card: ModelCard) -> bytes:
    """Return the file's bytes if they are the ones in the catalogue; else raise ``UserFacing`` (E-MODEL-…)."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserFacing(
            f"The model {card.name} can't be read ({path}: {error.strerror}).",
            advice="Install Fairlock again, or put the file there and start again.",
            code="E-MODEL-MISSING",
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != card.sha256:
        raise UserFacing(
            f"The model file {path} is not the one Fairlock knows (SHA-256 {found[:12]}…, not {card.sha256[:12]}…).",
            advice="Delete it and install Fairlock again; if it comes back, tell your institution.",
            code="E-MODEL-HASH",
        )
    return data


def load(path: Path, card: ModelCard, probe: Mapping[str, Array] | None = None) -> Model:
    """Check, load and warm up (on ``probe``). Raises ``UserFacing`` (E-MODEL-MISSING, -HASH, -BROKEN)."""
    return start(read_verified(path, card), card, probe)


def start(data: bytes, card: ModelCard, probe: Mapping[str, Array] | None = None, *, exact: bool = True) -> Model:
    """Load and warm up a model from the bytes that ``read_verified`` returned, or that were made from them.

    ``exact``: also where INT8 kernels that let sums of 16 bits saturate would be faster.
    """
    kept = _KEPT.get()
    if kept is None:
        return _started(data, card, probe, exact=exact)
    key = (card.name, hashlib.sha256(data).hexdigest())
    if key not in kept:
        kept[key] = _started(data, card, probe, exact=exact)
    return kept[key]


@contextmanager
def kept_models() -> Iterator[None]:
    """Within, the same file is loaded once and shared by all detectors made from it, which hold all state themselves.

    For measuring, where each recording meets new detectors. Shared models are used by one thread at a time.
    """
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def _started(data: bytes, card: ModelCard, probe: Mapping[str, Array] | None, *, exact: bool) -> Model:
    try:
        model = Model(_session(data, exact=exact), card)
        model.warm_up(probe)
    except Exception as error:  # ONNX Runtime raises a dozen unrelated types for an unusable file.
        raise UserFacing(
            f"The model {card.name} does not run on this machine: {error}",
            advice="Install the newest version of Fairlock and start again.",
            code="E-MODEL-BROKEN",
        ) from error
    return model


def _shapes(nodes: Sequence[onnxruntime.NodeArg]) -> Mapping[str, tuple[int | None, ...]]:
    return {node.name: tuple(size if isinstance(size, int) else None for size in node.shape) for node in nodes}


def _session(data: bytes, *, exact: bool) -> onnxruntime.InferenceSession:
    """One thread and no spinning: twice as slow as two threads on an idle machine, but never slower on a busy one."""
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # On x86 without VNNI the fast INT8 kernels let sums of 16 bits saturate, which pixels make them do by the thousand
    # (mAP50-95 0.36 instead of 0.43). This takes exact ones there, 15 to 40 % slower, and changes nothing where there
    # is VNNI. ``detectors.float_again`` makes models that need it not.
    if exact:
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
