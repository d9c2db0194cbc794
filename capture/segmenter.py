"""Fragments to sealed segments of one track: seal, append to the spool, close, record in the chain.

Runs in the thread that pushes (a track's sealing thread; for the journal whoever writes it, under a lock). Holds the
data key of the open segment only, and of no other. Plaintext never reaches the disk.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.contract.incidents import Track
from app.contract.policy import Recipient
from app.contract.sealing import jws
from app.contract.sealing.records import Record
from app.contract.sealing.segment import SegmentSealer
from app.contract.times import Clock, Instant
from capture.chain import Chain, Place
from capture.fragments import Fragment
from capture.recovery import salvage
from capture.spool import SegmentFile, Spool, SpoolFull
from capture.timeline import to_ms

_OVERHEAD = 64
"""What sealing adds to a fragment at most, and what the final fragment takes."""

OnClosed = Callable[[Record, str], None]
OnWritten = Callable[[Place, int, bytes], object]
"""Segment, offset and what stands in its file from there on. Must be quick and raise nothing: sealing waits for it."""


@dataclass(slots=True, kw_only=True)
class _Open:
    sealer: SegmentSealer
    file: SegmentFile
    start_ms: int
    end_ms: int
    reserved: int


class Segmenter:
    """Cuts one track into segments of ``segment_ms`` and a little, each beginning with ``init`` if there is one."""

    def __init__(
        self,
        *,
        track: Track,
        spool: Spool,
        chain: Chain,
        epoch: int,
        recipients: Sequence[Recipient],
        segment_ms: int,
        mime: str,
        clock: Clock,
        timeline_origin: Instant,
        init: bytes = b"",
        on_closed: OnClosed | None = None,
        on_written: OnWritten | None = None,
    ) -> None:
        self.track = track
        self._spool, self._chain, self._clock, self._origin = spool, chain, clock, timeline_origin
        self._epoch, self._recipients, self._mime, self._init = epoch, recipients, mime, init
        self._segment_ms, self._on_closed, self._on_written = segment_ms, on_closed, on_written
        self._lock = threading.Lock()
        self._open: _Open | None = None
        self._sequence = 0
        self._unclosed: Path | None = None

    def begin_with(self, mime: str, init: bytes) -> None:
        """Let the segments from the next one on begin with ``init``: another encoder writes them."""
        with self._lock:
            self._close()
            self._mime, self._init = mime, init

    def push(self, fragment: Fragment) -> bool:
        """Seal a fragment to disk; ``False`` when it was left out because no segment can start with it.

        Raises ``SpoolFull``; the fragment is then lost, what came before is safe.
        """
        with self._lock:
            if fragment.opens_segment:
                self._cut_if_due(fragment.start_ms)
            if self._open is None and not fragment.opens_segment:
                return False
            self._write(fragment.data, fragment.start_ms, fragment.start_ms + fragment.duration_ms)
            return True

    def push_plain(self, data: bytes, at_ms: int) -> None:
        """Seal a piece of a track without media (journal, pictures); raises ``SpoolFull``."""
        if not data:
            raise ValueError("an empty piece would look like a segment's end")
        with self._lock:
            self._cut_if_due(at_ms)
            self._write(data, at_ms, at_ms)

    def cut(self) -> None:
        """Close the open segment now, whatever its length."""
        with self._lock:
            self._close()

    def cut_if_due(self, now_ms: int) -> None:
        """Close the open segment if it is ``segment_ms`` old; for tracks where nothing may come for long."""
        with self._lock:
            self._cut_if_due(now_ms)

    def close(self) -> None:
        """Close the last segment, and one that a full disk interrupted; raises ``SpoolFull`` if it still is full."""
        with self._lock:
            self._close()
            try:
                self._salvage()
            except OSError as error:
                raise SpoolFull(f"the disk takes no more evidence ({error})") from error

    def _cut_if_due(self, now_ms: int) -> None:
        if self._open is not None and now_ms - self._open.start_ms >= self._segment_ms:
            self._close()

    def _write(self, data: bytes, start_ms: int, end_ms: int) -> None:
        try:
            current = self._open or self._begin(start_ms, len(data))
            self._append(current, data)
            current.end_ms = max(current.end_ms, end_ms)
        except SpoolFull:
            self._close()
            raise
        except OSError as error:
            self._abandon()
            raise SpoolFull(f"the disk takes no more evidence ({error})") from error

    def _begin(self, start_ms: int, first_size: int) -> _Open:
        self._salvage()
        now = self._clock.now()
        sealer = SegmentSealer(
            session=self._spool.session,
            epoch=self._epoch,
            track=self.track,
            sequence=self._sequence,
            mime=self._mime,
            start_ms=start_ms,
            utc_ms=now.utc_ms - (to_ms(now, self._origin) - start_ms),
            previous=self._chain.head,
            recipients=self._recipients,
        )
        # Room for the final fragment is kept from the start, so that a full spool can always close what is open.
        reserved = len(sealer.preamble) + _OVERHEAD
        first = len(self._init) + first_size + 2 * _OVERHEAD
        self._spool.reserve(reserved + first)  # without room for the first fragment no segment is begun
        self._spool.release(first)
        try:
            file = self._spool.create((self._epoch, self.track, self._sequence))
        except OSError:
            self._spool.release(reserved)
            raise
        self._open = _Open(sealer=sealer, file=file, start_ms=start_ms, end_ms=start_ms, reserved=reserved)
        self._sequence += 1
        self._put(file, sealer.preamble)
        if self._init:
            self._append(self._open, self._init)
        return self._open

    def _append(self, current: _Open, data: bytes) -> None:
        self._spool.reserve(len(data) + _OVERHEAD)
        current.reserved += len(data) + _OVERHEAD
        self._put(current.file, current.sealer.seal(data))

    def _put(self, file: SegmentFile, data: bytes | bytearray) -> None:
        offset = file.size
        file.append(data)
        if self._on_written is not None:
            self._on_written(file.place, offset, bytes(data))

    def _close(self) -> None:
        current = self._open
        if current is None:
            return
        try:
            self._put(current.file, current.sealer.seal(b"", final=True))
            current.file.finish()
            duration_ms, closed_ms = current.end_ms - current.start_ms, self._clock.now().utc_ms
            token = self._chain.append(
                lambda previous: current.sealer.record(previous=previous, duration_ms=duration_ms, closed_ms=closed_ms)
            )
            record = jws.unverified(Record, token)
            self._spool.commit(current.file.path, record, token)
        except OSError as error:
            self._abandon()
            raise SpoolFull(f"the disk takes no more evidence ({error})") from error
        self._open = None
        self._spool.release(current.reserved)
        self._tell(record, token)

    def _abandon(self) -> None:
        """Leave the open segment on disk as it is; it gets its record when there is room, or at the next start."""
        current, self._open = self._open, None
        if current is not None:
            current.sealer.forget()
            with contextlib.suppress(OSError):
                current.file.close()
            self._spool.release(current.reserved)
            self._unclosed = current.file.path

    def _salvage(self) -> None:
        if self._unclosed is None:
            return
        found = salvage(self._unclosed, self._spool, self._chain, self._clock)
        self._unclosed = None
        for record, token in found.segments:
            self._tell(record, token)
        if not found.segments:
            self._sequence -= 1  # not even its init bytes were sealed, so its number is free

    def _tell(self, record: Record, token: str) -> None:
        if self._on_closed is not None:
            self._on_closed(record, token)
