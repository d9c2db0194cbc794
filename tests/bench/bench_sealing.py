"""Sealing throughput against bare AES-256-GCM of the same library, in CPU time of one run.

A segment's record holds SHA-256 of the file, so sealing does two things to each byte. The rows tell them apart: SFrame
alone against AES-256-GCM, all of sealing against AES-256-GCM plus SHA-256, and all of sealing against AES-256-GCM.
"""

import hashlib
import os
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.contract.sealing.segment import SegmentSealer, open_segment
from app.contract.sealing.sframe import SFrameKey
from tests.bench.table import Row
from tests.unit.capture_parts import new_sealer, recipient

FRAGMENT = 64 * 1024
FRAGMENTS = 1_000
ROUNDS = 25
METADATA = bytes(37)


def run() -> list[Row]:
    """Measure each thing ``ROUNDS`` times in turn and compare the best."""
    data = os.urandom(FRAGMENT)
    works: dict[str, Callable[[bytes], None]] = {
        "aes": _aes,
        "aes and sha": _aes_and_sha,
        "sframe": _sframe,
        "sealing": _sealing,
    }
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.process_time()
            work(data)
            seconds = time.process_time() - start
            best[name] = max(best.get(name, 0.0), FRAGMENT * FRAGMENTS / seconds / 1e6)
    return [
        _row("SFrame of 64 KiB fragments / AES-256-GCM", best["sframe"], best["aes"], "≥ 0.8"),
        _row("sealing with the file's digest / AES-256-GCM and SHA-256", best["sealing"], best["aes and sha"], "≥ 0.8"),
        _row("sealing with the file's digest / AES-256-GCM", best["sealing"], best["aes"], ""),
        _row("opening a segment with its digest / AES-256-GCM and SHA-256", _opening(data), best["aes and sha"], ""),
    ]


def _row(name: str, value: float, peer: float, goal: str) -> Row:
    return Row(name=name, value=round(value), unit="MB/s", peer=round(peer), ratio=round(value / peer, 2), goal=goal)


def _aes(data: bytes) -> None:
    cipher = AESGCM(os.urandom(32))
    for index in range(FRAGMENTS):
        cipher.encrypt(index.to_bytes(12, "big"), data, METADATA)


def _aes_and_sha(data: bytes) -> None:
    cipher, digest = AESGCM(os.urandom(32)), hashlib.sha256()
    for index in range(FRAGMENTS):
        digest.update(cipher.encrypt(index.to_bytes(12, "big"), data, METADATA))


def _sframe(data: bytes) -> None:
    key = SFrameKey(os.urandom(32), 1)
    for index in range(FRAGMENTS):
        key.seal(index, data, METADATA)


def _sealing(data: bytes) -> None:
    sealer = _sealer(ec.generate_private_key(ec.SECP256R1()))
    for _ in range(FRAGMENTS):
        sealer.seal(data)


def _opening(data: bytes) -> float:
    private_key = ec.generate_private_key(ec.SECP256R1())
    sealer = _sealer(private_key)
    file = sealer.preamble + b"".join(sealer.seal(data, final=index == 99) for index in range(100))
    best = 0.0
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(5):
            hashlib.sha256(file).digest()
            open_segment(file, private_key)
        best = max(best, 5 * len(file) / (time.process_time() - start) / 1e6)
    return best


def _sealer(private_key: ec.EllipticCurvePrivateKey) -> SegmentSealer:
    return new_sealer(recipient(private_key))
