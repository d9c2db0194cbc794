"""Fragmented MP4 (ISO/IEC 14496-12) by hand: one moof and mdat per fragment, with explicit durations.

libavformat holds a sample back until the next one tells its duration; live viewing can't wait for that. Its init
segment (ftyp, moov) is right, though, so ``capture.encoder`` takes that. Pure functions on bytes.
"""

import struct
from dataclasses import dataclass

_SYNC_SAMPLE = 0x02000000
_OTHER_SAMPLE = 0x01010000
_DEFAULT_BASE_IS_MOOF = 0x020000
_TRUN_FIELDS = 0x000701  # data offset; duration, size and flags of each sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One encoded picture or packet of sound; ``start`` and ``duration`` in the track's time scale."""

    data: bytes
    start: int
    duration: int
    key: bool


def fragment(number: int, samples: list[Sample]) -> bytes:
    """Return one moof and mdat of track 1; ``number`` counts fragments from 1.

    ``samples`` follow each other without holes; decode time is that of the first, absolute.
    """
    entries = b"".join(
        struct.pack(">III", s.duration, len(s.data), _SYNC_SAMPLE if s.key else _OTHER_SAMPLE) for s in samples
    )
    head = _moof(number, samples[0].start, len(samples), 0, entries)
    head = _moof(number, samples[0].start, len(samples), len(head) + 8, entries)
    return head + _box(b"mdat", *(sample.data for sample in samples))


def _moof(number: int, start: int, count: int, data_offset: int, entries: bytes) -> bytes:
    return _box(
        b"moof",
        _full(b"mfhd", 0, 0, struct.pack(">I", number)),
        _box(
            b"traf",
            _full(b"tfhd", 0, _DEFAULT_BASE_IS_MOOF, struct.pack(">I", 1)),
            _full(b"tfdt", 1, 0, struct.pack(">Q", start)),
            _full(b"trun", 0, _TRUN_FIELDS, struct.pack(">Ii", count, data_offset), entries),
        ),
    )


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def codecs(init: bytes) -> str:
    """Return the RFC 6381 codecs string of an init segment, read from its own codec configuration box.

    Raises ``ValueError`` for a codec that Fairlock does not record.
    """
    if (at := init.find(b"vpcC")) >= 0:
        profile, level, packed = init[at + 8 : at + 11]
        return f"vp09.{profile:02}.{level:02}.{packed >> 4:02}"
    if (at := init.find(b"avcC")) >= 0:
        return f"avc1.{init[at + 5 : at + 8].hex()}"
    if (at := init.find(b"av1C")) >= 0:
        packed, flags = init[at + 5 : at + 7]
        tier = "H" if flags & 0x80 else "M"
        depth = 10 if flags & 0x40 else 8
        return f"av01.{packed >> 5}.{packed & 0x1F:02}{tier}.{depth:02}"
    if b"dOps" in init:
        return "opus"
    raise ValueError("the init segment names no known codec")


def avc_sample(packet: bytes) -> bytes:
    """Return an H.264 packet with lengths in place of Annex B start codes, as MP4 wants it."""
    units, at = [], packet.find(b"\0\0\1")
    while at >= 0:
        begin = at + 3
        at = packet.find(b"\0\0\1", begin)
        unit = packet[begin : at if at >= 0 else len(packet)]
        units.append(unit.rstrip(b"\0") if at >= 0 else unit)
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units)


def av1_sample(packet: bytes) -> bytes:
    """Return an AV1 packet without its temporal delimiter, which MP4 forbids."""
    return packet[2:] if packet[:2] == b"\x12\x00" else packet
