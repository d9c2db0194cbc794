"""The detection threads: one that looks (``Latest[Frame]``), one that listens (``Bounded[AudioChunk]``).

Owned by the recorder. Frames are analysed at the policy's rate and then forgotten; nothing is written or sent here.
A detector that fails is reported as an incident and, when it keeps failing, left out; the others go on. Lowering the
priority is the recorder's business: it holds for the whole process.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType

from app.contract.incidents import Incident
from app.contract.policy import Detection
from app.contract.times import Instant
from app.mailbox import Bounded, Closed, Latest
from capture.frames import AudioChunk, Frame
from detectors.base import Observation
from detectors.bucket import TokenBucket
from detectors.build import Detectors, build
from detectors.faults import Faults
from detectors.temporal import Temporal

__all__ = ["DetectionPipeline", "Detectors", "Look", "build"]

_NICENESS = 10
_WAIT_S = 0.2  # how soon a thread notices that it is to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look or one chunk heard: how many of each label above their floor, and what it cost in wall time."""

    detector: str
    at: Instant
    counts: Mapping[str, int]
    milliseconds: float


@dataclass(slots=True)
class _Turn:
    """What a detector saw in its turn, by look."""

    looks: list[tuple[Instant, list[Observation]]] = field(default_factory=list)


class DetectionPipeline:
    """Runs ``detectors`` until ``stop``. As a context manager it starts on entry and stops on exit.

    ``on_incident`` and ``on_look`` are called in the detection threads and must be quick; ``on_incident`` gets each
    incident when it opens and again, under the same id, when it closes.
    """

    def __init__(
        self,
        *,
        detectors: Detectors,
        policy: Detection,
        frames: Latest[Frame] | None,
        sound: Bounded[AudioChunk] | None,
        new_id: Callable[[], str],
        on_incident: Callable[[Incident], None],
        on_look: Callable[[Look], None] = lambda _look: None,
    ) -> None:
        self._temporal = Temporal(policy, new_id, detectors.cards)
        self._lock = threading.Lock()  # both threads feed one Temporal
        self._faults = Faults(new_id)
        self._on_incident = on_incident
        self._on_look = on_look
        self._stopping = threading.Event()
        rate = policy.rate_permille / 1000
        self._pictures = [(one, TokenBucket(rate)) for one in detectors.pictures]
        self._sounds = list(detectors.sounds)
        self._threads: list[threading.Thread] = []
        if frames is not None and self._pictures:
            self._threads.append(
                threading.Thread(target=self._watch, args=(frames,), name="detect-pictures", daemon=True)
            )
        if sound is not None and self._sounds:
            self._threads.append(threading.Thread(target=self._listen, args=(sound,), name="detect-sound", daemon=True))

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, deadline_s: float = 5.0) -> bool:
        """Stop, close open incidents; ``False`` when a thread did not end within ``deadline_s`` seconds."""
        self._stopping.set()
        deadline = time.monotonic() + deadline_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._report(self._temporal.finish())
        return not any(thread.is_alive() for thread in self._threads)

    def __enter__(self) -> "DetectionPipeline":
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def _watch(self, frames: Latest[Frame]) -> None:
        """Thread ``detect-pictures``."""
        _stand_back()
        while not self._stopping.is_set():
            try:
                frame = frames.take(_WAIT_S)
            except Closed:
                return
            if frame is not None:
                self.look(frame)

    def _listen(self, sound: Bounded[AudioChunk]) -> None:
        """Thread ``detect-sound``."""
        _stand_back()
        while not self._stopping.is_set():
            try:
                chunk = sound.take(_WAIT_S)
            except Closed:
                return
            if chunk is not None:
                self.hear(chunk)

    def look(self, frame: Frame) -> None:
        """Show one frame to each picture detector whose turn it is (called by the thread; tests may call it)."""
        for detector, bucket in self._pictures:
            if self._faults.alive(detector.name) and bucket.take(frame.at):
                with self._turn_of(detector.name, frame.at) as turn:
                    turn.looks = [(frame.at, detector.detect(frame))]

    def hear(self, chunk: AudioChunk) -> None:
        """Play one chunk to each sound detector (called by the thread; tests may call it)."""
        for detector in self._sounds:
            if self._faults.alive(detector.name):
                with self._turn_of(detector.name, chunk.at) as turn:
                    turn.looks = [(window.at, [window]) for window in detector.feed(chunk)]

    @contextmanager
    def _turn_of(self, name: str, at: Instant) -> Iterator[_Turn]:
        """Time one detector's turn; hand on what it saw, or note that it failed."""
        turn = _Turn()
        began = time.perf_counter()
        try:
            yield turn
        except Exception as error:  # noqa: BLE001  (the edge: whatever a detector raises, the others go on)
            with self._lock:
                self._report([self._faults.failed(name, at, error)])
            return
        cost = (time.perf_counter() - began) * 1e3
        with self._lock:
            self._report([self._faults.worked(name, at)])
            for when, seen in turn.looks:
                self._report(self._temporal.look(when, name, seen))
        counts = Counter(one.label for _, seen in turn.looks for one in seen)
        self._on_look(Look(detector=name, at=at, counts=counts, milliseconds=cost))

    def _report(self, incidents: Sequence[Incident | None]) -> None:
        for incident in incidents:
            if incident is not None:
                self._on_incident(incident)


def _stand_back() -> None:
    """Give this thread a low priority, where a thread can have its own: recording and the exam page come first."""
    setpriority, of_a_thread = getattr(os, "setpriority", None), getattr(os, "PRIO_PROCESS", None)
    if setpriority is not None:
        # Linux takes a thread's id here; elsewhere the call refuses, and nothing is lost.
        with suppress(OSError):
            setpriority(of_a_thread, threading.get_native_id(), _NICENESS)
