"""Carries closed segments from the spool to the server: parallel, idempotent, as often as it takes.

Runs in its own few threads. Never reads a segment into memory (the transport streams the file), never deletes one
without a receipt whose signature was checked, and gives no segment up: one that the server refuses for good is set
aside on disk and told.
"""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.contract.errors import FairlockError, Fatal, IntegrityError, Outcome, Retryable, UserFacing
from app.contract.sealing import jws
from app.contract.sealing.records import RECEIPT_TYPE, Receipt, Record
from app.contract.times import Clock
from capture.spool import Spool, Spooled, SpoolTotals

_POLL_S = 0.5
_LONGEST_WAIT_S = 30.0
MOST_TOLD = 20
"""Kinds of errors that are told until something goes through: whoever answers may name as many as they like."""

_jitter = random.SystemRandom().random

VerifyReceipt = Callable[[str, str, Record], None]
"""Takes the receipt's JWS, the record's JWS and the record; raises ``IntegrityError``."""


class SegmentTransport(Protocol):
    """Brings one segment to the server. Called from several threads at once."""

    def put(self, record_jws: str, record: Record, path: Path) -> str:
        """Send the file at ``path``, streamed; return the receipt's JWS. The same segment may be sent twice.

        Raises ``Retryable`` (not reachable, busy), ``IntegrityError`` (the server has or wants something else) or
        ``UserFacing`` (not signed in, session unknown).
        """
        ...


def _sent_of(totals: SpoolTotals) -> tuple[int, int]:
    return totals.received_bytes, totals.received_bytes + totals.pending_bytes


def receipt_verifier(key: Ed25519PublicKey) -> VerifyReceipt:
    """Return the check of receipts against the key that the policy names."""

    def verify(receipt_jws: str, record_jws: str, record: Record) -> None:
        receipt = jws.verify(Receipt, receipt_jws, key, typ=RECEIPT_TYPE)
        said = (receipt.session, receipt.record, receipt.digest, receipt.size)
        if said != (record.session, jws.digest(record_jws), record.digest, record.size):
            raise IntegrityError(Outcome.BAD_RECEIPT, "the receipt is for something else")

    return verify


class Uploader:
    """Uploads what the spool holds, oldest first, until stopped.

    After a failure all workers wait, twice as long each time and with jitter, so that a server that comes back is not
    stormed. ``on_error`` is told of what waiting alone will not mend.
    """

    def __init__(
        self,
        spool: Spool,
        transport: SegmentTransport,
        verify_receipt: VerifyReceipt,
        clock: Clock,
        *,
        workers: int = 2,
        on_error: Callable[[FairlockError], None] | None = None,
        on_received: Callable[[Record], None] | None = None,
        first_wait_s: float = 1.0,
        jitter: Callable[[], float] = _jitter,
    ) -> None:
        self._spool, self._transport, self._verify, self._clock = spool, transport, verify_receipt, clock
        self._on_error, self._on_received = on_error, on_received
        self._first_wait_s, self._jitter = first_wait_s, jitter
        self._lock = threading.Lock()
        self._in_flight: set[bytes] = set()
        self._failures = 0
        self._not_before_ns = 0
        self._held = False
        self._told: set[str] = set()
        self._stopping = threading.Event()
        self._wakes = [threading.Event() for _ in range(workers)]
        self._settled = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(wake,), name=f"upload-{number}", daemon=True)
            for number, wake in enumerate(self._wakes)
        ]

    @property
    def online(self) -> bool:
        """Say whether the last attempt went through."""
        with self._lock:
            return self._failures == 0

    def start(self) -> None:
        """Start the workers."""
        for thread in self._threads:
            thread.start()

    def stop(self, deadline_s: float) -> bool:
        """Stop after the segments in flight; ``False`` when that took longer than ``deadline_s``."""
        until = time.monotonic() + deadline_s
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            if thread.ident is not None:  # else the recording failed before it was started
                thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def wake(self) -> None:
        """Say that the spool has something new."""
        for wake in self._wakes:
            wake.set()

    def hold(self, *, held: bool) -> None:
        """Begin no more segments, or go on."""
        with self._lock:
            self._held = held
        self.wake()

    def progress(self) -> tuple[int, int]:
        """Return bytes received by the server, and bytes of all closed segments."""
        return _sent_of(self._spool.totals())

    def drain(self, deadline_s: float, on_progress: Callable[[int, int], None]) -> bool:
        """Wait until the server has everything; ``False`` when it has not after ``deadline_s``.

        What ``on_progress`` raises ends the waiting.
        """
        until = time.monotonic() + deadline_s
        with self._lock:
            self._not_before_ns = 0
        while True:
            self._settled.clear()
            self.wake()
            totals = self._spool.totals()
            on_progress(*_sent_of(totals))  # the same, so that the last word is that everything was sent
            if totals.pending == 0:
                return totals.refused == 0
            left_s = until - time.monotonic()
            if left_s <= 0:
                return False
            self._settled.wait(min(_POLL_S, left_s))

    def _work(self, wake: threading.Event) -> None:
        while True:
            # Each worker has an alarm of its own and clears it before it looks: nobody sleeps through another's.
            wake.clear()
            if self._stopping.is_set():
                return
            try:
                if not self.attempt():
                    wake.wait(self._wait_s())
            except Exception as error:  # noqa: BLE001  (the thread's main: whatever it is, it must be told)
                self._back_off(None)
                self._tell(Fatal(f"upload: {type(error).__name__}: {error}"))

    def attempt(self) -> bool:
        """Send one segment, if it is time to; ``False`` when there was none to send."""
        job = self._next()
        if job is not None:
            self._send(job)
        return job is not None

    def _next(self) -> Spooled | None:
        with self._lock:
            if self._held or self._clock.now().mono_ns < self._not_before_ns:
                return None
            for job in self._spool.pending(limit=1, without=self._in_flight):
                self._in_flight.add(job.record_digest)
                return job
        return None

    def _wait_s(self) -> float:
        with self._lock:
            left_s = (self._not_before_ns - self._clock.now().mono_ns) / 1e9
        return min(_POLL_S, left_s) if left_s > 0 else _POLL_S

    def _send(self, job: Spooled) -> None:
        try:
            receipt = self._transport.put(job.record_jws, job.record, job.path)
            self._verify(receipt, job.record_jws, job.record)
            self._spool.mark_received(job.record_digest, receipt)
            self._succeeded(job.record)
        except Retryable as error:
            self._back_off(error.after_s)
        except IntegrityError as error:
            self._refused(job, error)
        except UserFacing as error:
            self._back_off(None)
            self._tell(error)
        except FileNotFoundError:
            self._missing(job)
        finally:
            with self._lock:
                self._in_flight.discard(job.record_digest)
            self._settled.set()

    def _succeeded(self, record: Record) -> None:
        with self._lock:
            self._failures, self._not_before_ns = 0, 0
            self._told.clear()
        if self._on_received is not None:
            self._on_received(record)

    def _refused(self, job: Spooled, error: IntegrityError) -> None:
        # A receipt that does not verify is the server's fault and may pass; its word on the segment will not.
        if error.outcome in (Outcome.BAD_RECEIPT, Outcome.BAD_SIGNATURE, Outcome.UNKNOWN_KEY, Outcome.BAD_FORMAT):
            self._back_off(None)
        else:
            self._spool.mark_refused(job.record_digest)
        self._tell(error)

    def _missing(self, job: Spooled) -> None:
        if job.path.with_suffix(".part").exists():
            self._back_off(None)  # a full disk interrupted its closing; the segmenter will mend it
        else:
            self._spool.mark_refused(job.record_digest)
            self._tell(IntegrityError(Outcome.MISSING, f"the segment {job.path.stem} was deleted from the disk"))

    def _back_off(self, after_s: float | None) -> None:
        with self._lock:
            self._failures += 1
            wait_s = min(_LONGEST_WAIT_S, self._first_wait_s * 2.0 ** min(self._failures - 1, 10))
            wait_s *= 0.5 + 0.5 * self._jitter()
            if after_s is not None:
                wait_s = max(wait_s, after_s * (1 + 0.2 * self._jitter()))
            self._not_before_ns = max(self._not_before_ns, self._clock.now().mono_ns + round(wait_s * 1e9))

    def _tell(self, error: FairlockError) -> None:
        """Tell of an error once until something goes through again."""
        with self._lock:
            new = isinstance(error, IntegrityError)
            if error.code not in self._told and len(self._told) < MOST_TOLD:
                self._told.add(error.code)
                new = True
        if new and self._on_error is not None:
            self._on_error(error)
