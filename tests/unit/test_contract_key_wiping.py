"""The keys of a segment are overwritten when it is done, as far as Python and its libraries let them be."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.contract.incidents import Track
from app.contract.sealing import segment, sframe
from app.contract.sealing.segment import SegmentSealer
from app.contract.sealing.sframe import SFrameKey
from capture.spool import SpoolFull
from tests.unit.capture_parts import Workshop, new_sealer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bases(monkeypatch: pytest.MonkeyPatch) -> list[bytearray]:
    """Return the data keys of all segments that are begun: the very buffers."""
    seen: list[bytearray] = []

    class Watched(SFrameKey):
        def __init__(self, base_key: bytes | bytearray, key_id: int) -> None:
            assert isinstance(base_key, bytearray)
            assert any(base_key)
            seen.append(base_key)
            super().__init__(base_key, key_id)

    monkeypatch.setattr(segment, "SFrameKey", Watched)
    return seen


def test_the_cipher_alone_holds_the_derived_key(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bytearray] = []

    def cipher(key: bytearray) -> AESGCM:
        assert any(key)
        given.append(key)
        return AESGCM(key)

    monkeypatch.setattr(sframe, "AESGCM", cipher)
    new_sealer()
    assert given == [bytearray(32)]


def _is_wiped(sealer: SegmentSealer) -> bool:
    return not any(sealer._key.salt) and sealer._key._aead is None


def test_the_data_key_is_overwritten_once_it_is_wrapped(bases: list[bytearray]) -> None:
    sealer = new_sealer()
    assert bases == [bytearray(32)]
    assert not _is_wiped(sealer)


def test_the_derived_keys_are_overwritten_by_the_final_fragment() -> None:
    sealer = new_sealer()
    sealer.seal(b"x")
    assert not _is_wiped(sealer)
    sealer.seal(b"", final=True)
    assert _is_wiped(sealer)
    with pytest.raises(ValueError, match="final"):
        sealer.seal(b"y")


def test_a_sealer_that_has_forgotten_seals_no_more() -> None:
    sealer = new_sealer()
    sealer.seal(b"x")
    sealer.forget()
    assert _is_wiped(sealer)
    with pytest.raises(ValueError, match="wiped"):
        sealer.seal(b"y")
    assert (sealer.fragments, sealer.complete) == (1, False)


def test_a_segment_that_the_disk_interrupts_keeps_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop = Workshop(tmp_path)
    segmenter = workshop.segmenter(Track.JOURNAL)
    segmenter.push_plain(b"an entry", 0)
    running = segmenter._open
    assert running is not None

    def full(_data: bytes) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(running.file, "append", full)
    with pytest.raises(SpoolFull):
        segmenter.push_plain(b"another", 1)
    assert _is_wiped(running.sealer)
    segmenter.close()
    workshop.close()
    assert workshop.open(workshop.closed[0][0]).fragments == (b"an entry",)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a process's memory is read as Linux shows it")
def test_the_derived_key_is_nowhere_in_memory_after_the_final_fragment() -> None:
    program = [sys.executable, "-m", "tests.unit.key_search"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    while_open, after = map(int, done.stdout.split())
    assert while_open > 0, "the search finds nothing at all"
    assert after == 0
