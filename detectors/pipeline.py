"""The detection threads: one that looks (``Latest[Frame]``), one that listens (``Bounded[AudioChunk]``).

Owned by the recorder. Frames are analysed when the scheduler says so and then forgotten; nothing is written or sent
here. ``look`` and ``hear`` work without the threads, by the times on what they are given, and then the same frames and
chunks give the same incidents.
A detector that fails is reported as an incident and, when it keeps failing, left out; the others go on. Lowering the
priority is the recorder's business: it holds for the whole process.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType

from app.contract.incidents import Incident
from app.contract.policy import Detection
from app.contract.times import Instant
from app.mailbox import Bounded, Latest
from capture.frames import AudioChunk, Frame
from detectors import loudness
from detectors.background import Background
from detectors.base import Observation
from detectors.build import Detectors, build
from detectors.catalogue import Task
from detectors.faults import Faults
from detectors.loudness import Loudness
from detectors.page_sound import PageSound
from detectors.reached import Rates, Reached
from detectors.scheduler import Scheduler, Turn
from detectors.temporal import Temporal

__all__ = ["DetectionPipeline", "Detectors", "Look", "build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look or one chunk heard: how many of each label above their floor, and what it cost in wall time."""

    detector: str
    at: Instant
    counts: Mapping[str, int]
    milliseconds: float


@dataclass(slots=True)
class _Turn:
    """What a detector saw in its turn, by look, and what that cost."""

    looks: list[tuple[Instant, list[Observation]]] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0


class DetectionPipeline:
    """Runs ``detectors`` until ``stop``. As a context manager it starts on entry and stops on exit.

    The callbacks are called in the detection threads and must be quick. ``on_incident`` gets each incident when it
    opens and again, under the same id, when more is known and when it closes; ``on_frame`` each frame that is about
    to be looked at; ``on_rates`` how often that was, each minute and when it changes. ``scheduler`` is steady unless
    one is given.
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
        on_frame: Callable[[Frame], None] = lambda _frame: None,
        on_rates: Callable[[Rates], None] = lambda _rates: None,
        scheduler: Scheduler | None = None,
    ) -> None:
        self._page = PageSound()
        self._temporal = Temporal(policy, new_id, detectors.cards, self._page)
        self._lock = threading.Lock()  # both threads feed one Temporal
        self._faults = Faults(new_id)
        self._on_incident = on_incident
        self._on_look = on_look
        self._on_frame, self._on_rates = on_frame, on_rates
        self._scheduler = scheduler or Scheduler(policy, [one.name for one in detectors.pictures])
        self._pictures = sorted(detectors.pictures, key=lambda one: self._scheduler.order.index(one.name))
        self._reached = Reached(self._scheduler.needed, new_id)
        self._sounds = list(detectors.sounds)
        self._loudness = Loudness() if policy.loud_noise else None
        self._background = Background()
        if frames is not None and self._pictures:
            self._background.add("detect-pictures", frames, self.look)
        if sound is not None and self._sounds:
            self._background.add("detect-sound", sound, self.hear)

    def start(self) -> None:
        """Start the threads."""
        self._background.start()

    def stop(self, deadline_s: float = 5.0) -> bool:
        """Stop, close open incidents; ``False`` when a thread did not end within ``deadline_s`` seconds."""
        ended = self._background.stop(deadline_s)
        self.part()
        return ended

    def part(self) -> None:
        """Close every open incident; what goes on is another one, and must last as long as any. From any thread."""
        with self._lock:
            self._report(self._temporal.finish())

    def __enter__(self) -> "DetectionPipeline":
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def look(self, frame: Frame) -> None:
        """Show one frame to each picture detector whose turn it is (called by the thread; tests may call it)."""
        self._count(frame)
        turns = [one for one in self._pictures if self._faults.alive(one.name) and self._is_due(one.name, frame)]
        if turns:
            self._on_frame(frame)
        for detector in turns:
            with self._turn_of(detector.name, frame.at) as turn:
                turn.looks = [(frame.at, detector.detect(frame))]
            for at, seen in turn.looks:
                self._scheduler.took(detector.name, at, wall_s=turn.wall_s, cpu_s=turn.cpu_s, usual=_usual(seen))
                with self._lock:
                    self._reached.look(detector.name, turn.cpu_s)

    def _is_due(self, name: str, frame: Frame) -> bool:
        turn = self._scheduler.turn(name, frame)
        if turn is Turn.REST:
            with self._lock:
                self._reached.rest(name)
        return turn is Turn.LOOK

    def _count(self, frame: Frame) -> None:
        with self._lock:
            rates, incidents = self._reached.frame(frame, self._scheduler.rates, self._scheduler.why)
            self._report(incidents)
        if rates is not None:
            self._on_rates(rates)

    def hear(self, chunk: AudioChunk) -> None:
        """Play one chunk to each sound detector (called by the thread; tests may call it)."""
        with self._lock:
            self._reached.hear(chunk)
        for detector in self._sounds:
            if self._faults.alive(detector.name):
                with self._turn_of(detector.name, chunk.at) as turn:
                    turn.looks = [(window.at, [window]) for window in detector.feed(chunk)]
        if self._loudness is not None and self._knows_voices():
            levels = self._loudness.feed(chunk)
            with self._lock:
                for level in levels:
                    self._report(self._temporal.look(level.at, loudness.NAME, [level]))

    def _knows_voices(self) -> bool:
        """Whether speech is told from noise: where nobody does, the loudest noise in a room is a voice."""
        return any(one.name == Task.SPEECH and self._faults.alive(one.name) for one in self._sounds)

    def page_sound(self, at: Instant, *, audible: bool) -> None:
        """The exam's own page began to play sound at ``at``, or ceased to; from any thread."""
        with self._lock:
            self._page.note(at, audible=audible)

    @contextmanager
    def _turn_of(self, name: str, at: Instant) -> Iterator[_Turn]:
        """Time one detector's turn; hand on what it saw, or note that it failed."""
        turn = _Turn()
        began, used = time.perf_counter(), time.thread_time()
        try:
            yield turn
        except Exception as error:  # noqa: BLE001  (the edge: whatever a detector raises, the others go on)
            with self._lock:
                self._report([self._faults.failed(name, at, error)])
                self._reached.count_only(self._faults.alive)
            return
        turn.wall_s, turn.cpu_s = time.perf_counter() - began, time.thread_time() - used
        with self._lock:
            self._report([self._faults.worked(name, at)])
            for when, seen in turn.looks:
                self._report(self._temporal.look(when, name, seen))
        counts = Counter(one.label for _, seen in turn.looks for one in seen)
        self._on_look(Look(detector=name, at=at, counts=counts, milliseconds=turn.wall_s * 1e3))

    def _report(self, incidents: Sequence[Incident | None]) -> None:
        for incident in incidents:
            if incident is not None:
                self._on_incident(incident)


def _usual(seen: Sequence[Observation]) -> bool:
    """Whether a look showed one person and nothing else."""
    return [one.label for one in seen] == ["person"]
