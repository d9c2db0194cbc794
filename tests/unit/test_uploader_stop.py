"""The uploader's workers end when they are told to, whatever each of them is doing just then. Real threads."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.contract.incidents import Track
from app.contract.sealing.records import Record
from capture import uploader
from capture.uploader import Uploader, receipt_verifier
from tests.unit.capture_parts import Workshop, signed_receipt

KEY = Ed25519PrivateKey.generate()
TIMES = 40
LONG_S = 60.0


class Server:
    def put(self, record_jws: str, record: Record, path: Path) -> str:
        return signed_receipt(record, record_jws, KEY)


def test_no_worker_sleeps_through_the_word_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looks into the spool at that moment must not go to sleep because another worker woke up for it."""
    monkeypatch.setattr(uploader, "_POLL_S", LONG_S)
    workshop = Workshop(tmp_path)
    segmenter = workshop.segmenter(Track.JOURNAL)
    for number in range(TIMES):
        segmenter.push_plain(bytes(100), number * 1_000)
        segmenter.cut()
        uploading = Uploader(workshop.spool, Server(), receipt_verifier(KEY.public_key()), workshop.clock, workers=4)
        uploading.start()
        assert uploading.drain(LONG_S, lambda *_: None)
        assert uploading.stop(LONG_S / 3), f"a worker slept on, the {number + 1}. time"
    workshop.close()
