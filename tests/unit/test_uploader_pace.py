"""When the uploader tries again, when it may not, and when it says that everything arrived. No thread, no waiting."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract.errors import Retryable
from app.contract.incidents import Track
from app.contract.sealing.records import Record
from app.recorder.client import LONGEST_RETRY_S, _retry_after_s
from capture.uploader import Uploader, receipt_verifier
from tests.unit.capture_parts import Workshop, signed_receipt

KEY = Ed25519PrivateKey.generate()


class Busy:
    """Has no time for ``times`` attempts and asks for ``after_s``; then it takes everything."""

    def __init__(self, times: int = 0, after_s: float | None = None) -> None:
        self.puts = 0
        self._times, self._after_s = times, after_s
        self.receipt: Callable[[Record, str], str] = receipt

    def put(self, record_jws: str, record: Record, path: Path) -> str:
        self.puts += 1
        if self.puts <= self._times:
            raise Retryable("busy", after_s=self._after_s)
        return self.receipt(record, record_jws)


def receipt(record: Record, token: str) -> str:
    return signed_receipt(record, token, KEY)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    segmenter = made.segmenter(Track.JOURNAL)
    for number in range(3):
        segmenter.push_plain(bytes(100), number * 1_000)
        segmenter.cut()
    yield made
    made.close()


def uploader(workshop: Workshop, server: Busy, *, jitter: float = 0.0) -> Uploader:
    verify = receipt_verifier(KEY.public_key())
    return Uploader(workshop.spool, server, verify, workshop.clock, jitter=lambda: jitter)


def waits(workshop: Workshop, uploading: Uploader, server: Busy) -> float:
    """Return after how many seconds it tries again, to a tenth."""
    assert isinstance(workshop.clock, ManualClock)
    before, waited = server.puts, 0.0
    while server.puts == before:
        assert waited < 400
        workshop.clock.advance(0.1)
        waited += 0.1
        uploading.attempt()
    return round(waited, 1)


def test_retry_after_is_honoured(workshop: Workshop) -> None:
    server = Busy(1, after_s=7.0)
    uploading = uploader(workshop, server)
    assert uploading.attempt()
    assert not uploading.online
    assert waits(workshop, uploading, server) == 7.0
    assert uploading.online


@pytest.mark.parametrize(("jitter", "expected"), [(0.0, [0.5, 1.0, 2.0, 4.0]), (1.0, [1.0, 2.0, 4.0, 8.0])])
def test_each_wait_is_twice_as_long_and_spread_by_half(
    workshop: Workshop, jitter: float, expected: list[float]
) -> None:
    server = Busy(5)
    uploading = uploader(workshop, server, jitter=jitter)
    uploading.attempt()
    assert [waits(workshop, uploading, server) for _ in range(4)] == expected


def test_a_wait_never_grows_beyond_half_a_minute(workshop: Workshop) -> None:
    server = Busy(9)
    uploading = uploader(workshop, server, jitter=1.0)
    uploading.attempt()
    assert [waits(workshop, uploading, server) for _ in range(8)][-2:] == [30.0, 30.0]


def test_while_it_is_held_nothing_is_sent(workshop: Workshop) -> None:
    server = Busy()
    uploading = uploader(workshop, server)
    uploading.hold(held=True)
    assert not uploading.attempt()
    uploading.hold(held=False)
    assert uploading.attempt()
    assert server.puts == 1


def test_everything_arrived_only_with_a_receipt_for_all(workshop: Workshop) -> None:
    server = Busy()
    uploading = uploader(workshop, server)
    for number in range(3):
        assert not uploading.drain(0, lambda *_: None), f"said to be safe with {number} of 3 receipts"
        assert uploading.attempt()
    assert uploading.drain(0, lambda *_: None)


def test_a_receipt_that_is_not_stored_does_not_count(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Busy()
    uploading = uploader(workshop, server)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for _ in range(2):
        uploading.attempt()
    monkeypatch.setattr(workshop.spool, "mark_received", full)
    with pytest.raises(OSError, match="No space left"):
        uploading.attempt()
    assert not uploading.drain(0, lambda *_: None)
    assert list(workshop.spool.folder.glob("*.fls"))


def test_a_receipt_for_another_segment_does_not_count(workshop: Workshop) -> None:
    server = Busy()
    (other, token), *_ = workshop.closed
    uploading = uploader(workshop, server)
    uploading.attempt()
    server.receipt = lambda _record, _token: receipt(other, token)
    uploading.attempt()
    assert workshop.spool.totals().received == 1
    assert not uploading.drain(0, lambda *_: None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", None), ("7", 7.0), ("soon", None), ("9999999", LONGEST_RETRY_S), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_retry_after_is_read_in_both_its_forms(header: str, seconds: float | None) -> None:
    assert _retry_after_s(header) == seconds
