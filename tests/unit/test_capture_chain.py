"""The chain on disk: continued after a restart, cut where torn, refused where changed, whole when the disk fills."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.records import FORMAT_VERSION, RECORD_TYPE, Record, genesis
from capture.chain import Chain
from capture.durable import write_all
from tests.unit.capture_parts import POLICY_DIGEST, SESSION


def entry(sequence: int, *, epoch: int = 0, track: Track = Track.CAMERA) -> Callable[[bytes], Record]:
    return lambda previous: Record(
        version=FORMAT_VERSION,
        session=SESSION,
        epoch=epoch,
        track=track,
        sequence=sequence,
        fragments=1,
        size=1,
        digest=b"d" * 32,
        previous=previous,
        start_ms=0,
        duration_ms=0,
        closed_ms=0,
        complete=True,
    )


def open_chain(path: Path, key: Ed25519PrivateKey | None = None) -> Chain:
    return Chain(path, SESSION, POLICY_DIGEST, key or Ed25519PrivateKey.generate())


def test_it_begins_with_the_genesis_and_each_record_names_the_one_before(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    chain = open_chain(tmp_path / "chain", key)
    assert chain.head == genesis(SESSION, POLICY_DIGEST)
    first, second = chain.append(entry(0)), chain.append(entry(1))
    record = jws.verify(Record, second, key.public_key(), typ=RECORD_TYPE)
    assert record.previous == jws.digest(first)
    assert (chain.head, chain.count) == (jws.digest(second), 2)
    assert chain.find((0, Track.CAMERA, 0)) == first
    assert chain.find((0, Track.CAMERA, 2)) is None


def test_a_restart_continues_it_with_another_key(tmp_path: Path) -> None:
    chain = open_chain(tmp_path / "chain")
    chain.append(entry(0))
    head = chain.head
    chain.close()
    again = open_chain(tmp_path / "chain")
    assert (again.head, again.count) == (head, 1)
    token = again.append(entry(0, epoch=1))
    assert jws.unverified(Record, token).previous == head
    assert again.counts() == {"camera": 2}


@pytest.mark.parametrize("tail", [b"eyJhbGci", b"\0" * 300, b"\xff\n"])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    chain = open_chain(tmp_path / "chain")
    chain.append(entry(0))
    head = chain.head
    chain.close()
    whole = (tmp_path / "chain").read_bytes()
    with (tmp_path / "chain").open("ab") as file:
        file.write(tail)
    again = open_chain(tmp_path / "chain")
    assert again.head == head
    assert (tmp_path / "chain").read_bytes() == whole
    again.append(entry(1))
    again.close()
    assert open_chain(tmp_path / "chain").count == 2


def test_a_removed_line_is_refused(tmp_path: Path) -> None:
    chain = open_chain(tmp_path / "chain")
    for number in range(3):
        chain.append(entry(number))
    chain.close()
    lines = (tmp_path / "chain").read_bytes().splitlines(keepends=True)
    (tmp_path / "chain").write_bytes(lines[0] + lines[2])
    with pytest.raises(IntegrityError) as refused:
        open_chain(tmp_path / "chain")
    assert refused.value.outcome is Outcome.BROKEN_CHAIN


def test_a_chain_of_another_policy_is_refused(tmp_path: Path) -> None:
    chain = open_chain(tmp_path / "chain")
    chain.append(entry(0))
    chain.close()
    with pytest.raises(IntegrityError):
        Chain(tmp_path / "chain", SESSION, b"q" * 32, Ed25519PrivateKey.generate())


def test_a_full_disk_leaves_it_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = open_chain(tmp_path / "chain")
    chain.append(entry(0))
    head = chain.head

    def half(descriptor: int, data: bytes) -> None:
        write_all(descriptor, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("capture.chain.write_all", half)
        before = (tmp_path / "chain").read_bytes()
        with pytest.raises(OSError, match="No space"):
            chain.append(entry(1))
    assert (tmp_path / "chain").read_bytes() == before
    assert (chain.head, chain.count) == (head, 1)
    chain.append(entry(1))
    chain.close()
    assert open_chain(tmp_path / "chain").count == 2


def test_many_threads_make_one_chain(tmp_path: Path) -> None:
    chain = open_chain(tmp_path / "chain")

    def work(track: Track) -> None:
        for number in range(20):
            chain.append(entry(number, track=track))

    threads = [threading.Thread(target=work, args=(track,)) for track in Track]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    chain.close()
    assert open_chain(tmp_path / "chain").count == 20 * len(Track)
