"""One track from source to spool, in two threads: ``<track>-read`` and ``<track>-seal``.

::

    source.read ──> on_frame (detectors)
        └──> Bounded ──> encoder ──> segmenter (seal, spool)

The reader never waits for the encoder: what does not fit into the queue is dropped, counted and told as one ``Gap``.
A source that is lost, or silently gives nothing for ``STALLED_S``, is told once and tried again every second; the time
between is a ``Gap``. A picture of another size, or ``exchange``, brings another encoder, which begins a new segment.
After any other fault the part that failed is made anew (a new encoder; the source opened again) as often as
``may_renew`` allows; then the track is lost for good, which is told as ``TrackLost``, and the rest is a ``Gap``. So is
one whose encoder or disk takes nothing for ``STUCK_S``. ``stop`` waits longer for an encoder that is slow than for one
that stands, and for none for ever: then it closes the segment in the sealing thread's place, and all that comes after
it is a ``Gap``. Never decides what an error means for the session: that is for the callbacks, which run in these
threads or in that of ``stop`` and must be quick.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from app.contract.errors import FairlockError, Fatal, UserFacing
from app.contract.incidents import Track
from app.contract.times import Clock, Instant
from app.mailbox import Bounded, Closed
from capture.fragments import Encoder, Fragment
from capture.frames import AudioChunk, Frame, Gap
from capture.holes import Drops, Hole
from capture.load import Load, Meter
from capture.segmenter import Segmenter
from capture.sources import SourceLost
from capture.spool import SpoolFull
from capture.timeline import to_instant, to_ms
from capture.track_store import TrackStore

T = TypeVar("T", bound=Frame | AudioChunk)
T_co = TypeVar("T_co", covariant=True)

_IDLE_S = 1.0
"""After this long without an item the encoder stands in for it, so that segments still close and can be watched."""
_LOOK_EVERY_S = 0.5
_MANY, _NAP_S = 40.0, 0.2
"""Sound comes 50 times a second: some at a time cost a third less, for all they need is in the processor's cache.

Items a second from which on the encoder takes them so, and how long it lets them gather."""
STALLED_S = 2.3
"""A source that gives nothing for this long (and for three of its periods) is away, whatever its driver says."""
STUCK_S = 30.0
"""An encoder or a disk that takes nothing for this long will not come back: SVT-AV1 4.1 has been seen to wait for ever.

A thread inside a library can't be ended; the process can, and its successor goes on with another encoder."""
MOMENT_S = 0.5
"""What a thread that is known to stand still is waited for, and one at least that has work left."""
DRAIN_S = 30.0
"""What an encoder is waited for that still takes what is queued: some pictures a second empty the longest queue."""
STANDS, TOO_SLOW = "nothing was encoded or stored", "encoding took too long"
"""Why the end of a track is missing."""


class Source(Protocol[T_co]):
    """What a recorder needs of a ``VideoSource`` or an ``AudioSource``."""

    def open(self) -> None:
        """Claim the device."""
        ...

    def read(self) -> T_co:
        """Block until the next item; raises ``SourceLost``."""
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


class TrackLost(Fatal):
    """A track can't be recorded any more; the others go on until somebody decides what that means."""

    code = "E-TRACK-LOST"


class TrackRecorder(Generic[T]):
    """Records ``source`` until stopped. ``rate`` is its items per second, ``queue_s`` the queue's length in seconds.

    The source must be open; ``stop`` closes it. ``on_gap`` and ``on_error`` may be called from both threads.
    ``renew`` makes another encoder for an item, of which nothing may begin before the given time (ms on the timeline);
    ``may_renew`` counts a renewal at a time in seconds and says whether it is allowed. ``on_back`` gets the stretch for
    which the source was away.
    """

    def __init__(
        self,
        *,
        track: Track,
        source: Source[T],
        encoder: Encoder[T],
        segmenter: Segmenter,
        rate: float,
        queue_s: float,
        clock: Clock,
        timeline_origin: Instant,
        on_frame: Callable[[T], None] | None,
        on_gap: Callable[[Gap], None],
        on_error: Callable[[FairlockError], None],
        on_fragment: Callable[[Fragment], None] | None = None,
        on_back: Callable[[Gap], None] | None = None,
        renew: Callable[[T, int], Encoder[T]] | None = None,
        may_renew: Callable[[float], bool] = lambda _now_s: False,
        retry_s: float = 1.0,
        stuck_s: float = STUCK_S,
    ) -> None:
        self.track = track
        self._source, self._encoder = source, encoder
        self._clock, self._origin, self._period_s = clock, timeline_origin, 1 / rate
        self._on_frame, self._on_gap, self._on_error = on_frame, on_gap, on_error
        self._on_back, self._renew, self._may_renew, self._retry_s = on_back, renew, may_renew, retry_s
        self._store = TrackStore(
            segmenter, timeline_origin=timeline_origin, on_gap=on_gap, on_full=on_error, on_fragment=on_fragment
        )
        self._stuck_s, self._is_stuck = stuck_s, False
        self._full_since: float | None = None
        self._nap_s = _NAP_S if rate >= _MANY else 0.0
        self._queue: Bounded[T] = Bounded(math.ceil(rate * queue_s))
        self._stopping = threading.Event()
        self._asked_s, self._took_s = math.inf, -math.inf  # of real time, like the two above
        self._drops = Drops()
        self._last: T | None = None
        self._item: T | None = None
        self._meter = Meter()
        self._exchange = threading.Event()
        self._away = threading.Lock()
        self._unread = Hole(track)
        self._is_away = self._is_lost = False
        self._reader = threading.Thread(target=self._run_reader, name=f"{track}-read", daemon=True)
        self._sealer = threading.Thread(target=self._run_sealer, name=f"{track}-seal", daemon=True)

    @property
    def dropped(self) -> int:
        """Return how many items found no room so far."""
        return self._drops.total

    def start(self) -> None:
        """Start both threads."""
        self._store.start(self._clock.now())
        self._sealer.start()
        self._reader.start()

    def exchange(self) -> None:
        """Have the encoder made anew, with what ``renew`` aims at by now; from the next item on."""
        self._exchange.set()

    def load(self) -> Load:
        """Return how full the queue is, and how busy the sealing thread was since the last call."""
        return Load(queued=len(self._queue) / self._queue.capacity, busy=self._meter.read())

    def ask_to_stop(self) -> None:
        """Have both threads end, and return at once: several tracks can end while one of them is waited for."""
        self._asked_s = min(self._asked_s, time.monotonic())
        self._stopping.set()

    def stop_reading(self, deadline_s: float) -> None:
        """Wait for the source, until half of ``deadline_s`` after ``ask_to_stop``; what it brings later is refused."""
        self._reader.join(max(0.0, self._asked_s + deadline_s / 2 - time.monotonic()))
        self._queue.close()

    def stop(self, deadline_s: float, longest_s: float = DRAIN_S) -> bool:
        """Stop the source, drain the queue, flush the encoder, close the segment.

        What is missing is a gap once the encoder has taken nothing for ``deadline_s``, or works on after ``longest_s``;
        both from ``ask_to_stop`` on. Returns ``False`` where the segment could not be closed, for the disk has no room
        or stands still; it is then recovered later.
        """
        self.ask_to_stop()
        self.stop_reading(deadline_s)
        at_least_s = time.monotonic() + MOMENT_S
        while self._sealer.is_alive():
            until_s = max(at_least_s, min(self._taking_until(deadline_s), self._asked_s + longest_s))
            if (left_s := until_s - time.monotonic()) <= 0:
                break
            self._sealer.join(left_s)
        if self._sealer.is_alive():
            why = TOO_SLOW if time.monotonic() < self._taking_until(deadline_s) else STANDS
            self._close_segment(self._take_over)
            self._store.interrupt(why)
        if self._reader.is_alive():
            with self._away:
                self._unread.open(self._end_of_last(), "nothing came")
        now = self._clock.now()  # a track that was lost is missing up to here
        self._tell(self._unread.close(now))
        self._tell(self._store.end_gap(now))
        return self._store.is_closed

    def _taking_until(self, deadline_s: float) -> float:
        """Return until when the encoder counts as one that works, by what it took last."""
        return max(self._asked_s, self._took_s) + (MOMENT_S if self._stands_still() else deadline_s)

    def _stands_still(self) -> bool:
        """Return whether nothing was taken from the queue since the track was lost for just that."""
        return self._is_stuck and len(self._queue) == self._queue.capacity

    def _take_over(self) -> None:
        self._store.take_over(MOMENT_S)

    def _mend(self, error: Exception) -> bool:
        """Tell a fault; say whether what failed may be made anew. If not, both threads end."""
        if not self._may_renew(self._clock.now().mono_ns / 1e9):
            self._lose_track(f"{type(error).__name__}: {error}")
            return False
        self._on_error(error if isinstance(error, FairlockError) else Fatal(f"{type(error).__name__}: {error}"))
        return True

    def _lose_track(self, why: str) -> None:
        self._stopping.set()
        if not self._is_lost:
            self._is_lost = True
            self._on_error(TrackLost(f"The {self.track} can't be recorded any more ({why})."))

    # --- reader thread -------------------------------------------------------------------------------------------

    def _run_reader(self) -> None:
        failed = False
        try:
            while not self._stopping.is_set():
                try:
                    if failed:
                        self._open_again()
                    self._read()
                except Exception as error:  # noqa: BLE001  (the thread's main: whatever it is, it must be told)
                    self._unread.open(self._end_of_last(), "reading from the device failed")
                    failed = self._mend(error)
        finally:
            self._queue.close()  # first: the sealer ends by it, however the device takes being closed
            self._tell(self._drops.end(self.track, self._clock.now()))
            self._source.close()

    def _read(self) -> None:
        while not self._stopping.is_set():
            try:
                item = self._source.read()
            except SourceLost as error:
                self._lose(error)
            else:
                self._take(item)

    def _take(self, item: T) -> None:
        last, ended = self._last, self._end_of_last()
        self._last = item  # before it is told, which may take a while: the sealer asks how long nothing has come
        self._found(item.at)
        if last is not None and item.seq > last.seq + 1:
            lost = item.seq - last.seq - 1
            self._tell(self._gap(ended, item.at, f"{lost} lost in the device's driver"))
        if self._on_frame is not None:
            self._on_frame(item)
        if self._queue.offer(item):
            self._full_since = None
            self._tell(self._drops.end(self.track, item.at))
        else:
            self._drops.add(item.at)
            self._see_whether_stuck(time.monotonic())

    def _see_whether_stuck(self, now_s: float) -> None:
        """Lose the track once nothing has found room for too long; by real time, in which libraries and disks work."""
        self._full_since = self._full_since or now_s
        if now_s - self._full_since > self._stuck_s:
            self._is_stuck = True
            self._lose_track(f"nothing was encoded or stored for {self._stuck_s:g} s")

    def _lose(self, error: SourceLost) -> None:
        """Tell once, then try to open the source again until it opens or the recorder stops."""
        self._go_away(error, "the device was lost")
        self._open_again()

    def _open_again(self) -> None:
        """Open the source, at first after half the time: what took its place is to be told within three seconds."""
        self._source.close()
        wait_s = self._retry_s / 2
        while not self._stopping.wait(wait_s):
            wait_s = self._retry_s
            try:
                self._source.open()
            except (UserFacing, SourceLost):
                continue
            return

    def _found(self, at: Instant) -> None:
        with self._away:
            gap, was_away, self._is_away = self._unread.close(at), self._is_away, False
        self._tell(gap)
        if gap is not None and was_away and self._on_back is not None:
            self._on_back(gap)

    def _end_of_last(self) -> Instant:
        if self._last is None:
            return self._clock.now()
        return to_instant(round(self._period_s * 1000), self._last.at)

    # --- sealing thread ------------------------------------------------------------------------------------------

    def _run_sealer(self) -> None:
        while True:
            try:
                self._seal()
            except Exception as error:  # noqa: BLE001  (the thread's main: whatever it is, it must be told)
                if self._store.is_over:
                    break  # it woke up after the end, of which nobody wants to hear any more
                self._store.interrupt("encoding or sealing failed")
                if self._mend(error) and self._begin_anew():
                    continue
            break
        self._close_segment(self._store.close)

    def _begin_anew(self) -> bool:
        """Put a new encoder in the place of the one that failed; it begins with the next item and a new segment."""
        if not self._close_segment(self._store.close):
            return False
        try:
            self._put_in_another()
        except Exception as error:  # noqa: BLE001  (an edge like the thread's main: it must be told)
            if not self._store.is_over:
                self._lose_track(str(error) if isinstance(error, Fatal) else f"{type(error).__name__}: {error}")
            return False
        return True

    def _put_in_another(self) -> None:
        item = self._item
        encoder = None
        if item is not None and self._renew is not None:
            encoder = self._renew(item, to_ms(self._store.until, self._origin))
        if item is None or encoder is None or not encoder.fits(item):
            raise Fatal("no other encoder fits")
        self._encoder = encoder
        self._store.begin_with(encoder.mime, encoder.init)

    def _seal(self) -> None:
        while not self._store.is_over:
            try:
                item = self._queue.take(_LOOK_EVERY_S)
            except Closed:
                self._took_s = time.monotonic()
                self._store.keep(self._encoder.finish())
                return
            if item is None:
                self._stand_in()
                continue
            self._item, self._took_s = item, time.monotonic()
            with self._meter:
                self._see_to_fit(item)
                self._store.keep(self._encoder.encode(item))
            if self._nap_s and not len(self._queue):
                self._stopping.wait(self._nap_s)

    def _stand_in(self) -> None:
        """Nothing came; what should have been there is filled up, and a source that went quiet is away."""
        now = self._clock.now()
        self._store.keep(self._encoder.fill(to_instant(-round(_IDLE_S * 1000), now)))
        last = self._last
        if last is not None and now.seconds_since(last.at) > max(STALLED_S, 3 * self._period_s):
            self._go_away(SourceLost(f"the {self.track} has given nothing for {STALLED_S:.0f} s"), "nothing came")

    def _see_to_fit(self, item: T) -> None:
        """See to it that the encoder can take ``item``; the segment ends where another encoder begins."""
        if not self._exchange.is_set() and self._encoder.fits(item):
            return
        self._exchange.clear()
        self._store.keep(self._encoder.finish())
        if self._close_segment(self._store.close):
            self._put_in_another()

    def _close_segment(self, close: Callable[[], None]) -> bool:
        try:
            close()
        except SpoolFull as error:
            self._on_error(error)
        except Exception as error:  # noqa: BLE001  (an edge like the thread's main; recovery closes what stays open)
            self._lose_track(f"{type(error).__name__}: {error}")
            return False
        return True

    # --- both ----------------------------------------------------------------------------------------------------

    def _go_away(self, error: SourceLost, reason: str) -> None:
        with self._away:
            if self._is_away or self._stopping.is_set():
                return
            self._is_away = True
            self._unread.open(self._end_of_last(), reason)
        self._on_error(error)

    def _gap(self, start: Instant, end: Instant, reason: str) -> Gap:
        return Gap(source=self.track, start=start, end=max(start, end), reason=reason)

    def _tell(self, gap: Gap | None) -> None:
        if gap is not None:
            self._on_gap(gap)
