"""What the tests of one track share: a recorder over a real encoder, spool and chain, and what it told."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from app.contract.errors import FairlockError
from app.contract.incidents import Track
from app.contract.policy import Codec
from app.contract.times import Instant
from app.supervisor import RestartWindow
from capture.encoder import VideoEncoder
from capture.fragments import Fragment
from capture.frames import Frame, Gap
from capture.sources import SourceLost
from capture.track import STUCK_S, Source, TrackLost, TrackRecorder
from tests.unit.capture_parts import Workshop, picture_times

DEADLINE_S = 60.0


class Told:
    """What a recorder told; ``lost`` is set by an error of one of the kinds ``waits_for``."""

    def __init__(self, *waits_for: type[FairlockError]) -> None:
        self._waits_for = waits_for or (SourceLost, TrackLost)
        self.gaps: list[Gap] = []
        self.errors: list[FairlockError] = []
        self.back: list[Gap] = []
        self.lost = threading.Event()

    def error(self, error: FairlockError) -> None:
        self.errors.append(error)
        if isinstance(error, self._waits_for):
            self.lost.set()

    def wait(self) -> None:
        assert self.lost.wait(DEADLINE_S)


class GatedEncoder(VideoEncoder):
    """A real encoder that waits at the gate before each picture."""

    def __init__(self, origin: Instant) -> None:
        super().__init__(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=origin)
        self.entered, self.gate, self.busy = threading.Event(), threading.Event(), threading.Semaphore(0)

    def encode(self, item: Frame) -> list[Fragment]:
        self.entered.set()
        assert self.gate.wait(DEADLINE_S)
        self.busy.release()
        return super().encode(item)


def a_workshop(tmp_path: Path) -> Iterator[Workshop]:
    """For ``pytest.fixture`` in each module: a workshop that is closed in the end."""
    made = Workshop(tmp_path)
    yield made
    made.close()


def camera_recorder(
    workshop: Workshop,
    source: Source[Frame],
    told: Told,
    *,
    encoder: VideoEncoder | None = None,
    queue_s: float = 100,
    on_frame: Callable[[Frame], None] | None = None,
    renew: Callable[[Frame, int], VideoEncoder] | None = None,
    renewals: int = 0,
    stuck_s: float = STUCK_S,
) -> TrackRecorder[Frame]:
    encoder = encoder or VideoEncoder(
        Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=workshop.origin
    )
    source.open()
    return TrackRecorder(
        track=Track.CAMERA,
        source=source,
        encoder=encoder,
        segmenter=workshop.segmenter(Track.CAMERA, mime=encoder.mime, init=encoder.init),
        rate=15,
        queue_s=queue_s,
        clock=workshop.clock,
        timeline_origin=workshop.origin,
        on_frame=on_frame,
        on_gap=told.gaps.append,
        on_error=told.error,
        on_back=told.back.append,
        renew=renew,
        may_renew=RestartWindow(renewals, 1e9).allow,  # the fake source runs the clock as fast as it can
        retry_s=0.001,
        stuck_s=stuck_s,
    )


def recorded_times(workshop: Workshop) -> list[float]:
    return [t for record, _ in workshop.closed for t in picture_times(b"".join(workshop.open(record).fragments))]


def ms(workshop: Workshop, at: Instant) -> float:
    return (at.mono_ns - workshop.origin.mono_ns) / 1e6
