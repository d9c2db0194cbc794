"""Files broken on purpose: good ones with a few wounds, as a careless disk or a clever enemy leaves them."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

VECTORS = Path(__file__).parents[1] / "vectors"
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
LONGEST = 400_000

BOMBS = (
    b"[" * 50_000,
    b'{"a":' * 20_000,
    b"[" * 50_000 + b"]" * 50_000,
    b"9" * 10_000,
    b"-" + b"9" * 10_000,
    b"1e999999999",
    b'"' + b"\\ud800" * 5_000 + b'"',
    b'{"a":1,"a":2}',
    b"\x00" * 1_000,
    b"\xff\xfe" * 500,
    "\N{RIGHT-TO-LEFT OVERRIDE}".encode() * 1_000,
)
"""What has broken parsers before: depth, huge numbers, half characters, doubled keys."""


def segments() -> list[bytes]:
    """Return a few sealed segments, sound and not."""
    return [path.read_bytes() for path in sorted(VECTORS.glob("exports/*/segments/*.fls"))[:24]]


def manifests() -> list[bytes]:
    """Return the manifests of all vectors."""
    return [path.read_bytes() for path in sorted(VECTORS.glob("exports/*/manifest.json"))]


def statements() -> list[bytes]:
    """Return signed statements of every kind: policies, bindings, records, receipts, ends, completions."""
    found: set[str] = set()
    for manifest in manifests()[:12]:
        values = json.loads(manifest)
        found |= {values["policy"], *values["bindings"], *values["records"], *values["receipts"]}
        found |= {value for value in (values["end"], values["completion"]) if value}
    return [token.encode() for token in sorted(found)][:40]


def wounded(good: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Yield bytes that differ from one of ``good`` in one to six places, and now and then one of the ``BOMBS``."""
    return st.one_of(
        st.builds(_with_wounds, st.sampled_from(good), st.lists(_wounds(good), min_size=1, max_size=6)),
        st.sampled_from(BOMBS),
        st.binary(max_size=300),
    )


Wound = tuple[str, float, float, bytes]


def _wounds(good: Sequence[bytes]) -> st.SearchStrategy[Wound]:
    share = st.floats(0, 1)
    numbers = st.sampled_from(EDGES).map(lambda edge: struct.pack(">I", edge))
    inserts = st.one_of(st.binary(max_size=40), st.sampled_from(BOMBS), st.sampled_from(good))
    return st.one_of(
        st.tuples(st.just("flip"), share, share, st.binary(min_size=1, max_size=1)),
        st.tuples(st.just("cut"), share, share, st.just(b"")),
        st.tuples(st.just("again"), share, share, st.just(b"")),
        st.tuples(st.just("over"), share, share, numbers),
        st.tuples(st.just("in"), share, share, inserts),
    )


def _with_wounds(data: bytes, wounds: Sequence[Wound]) -> bytes:
    for kind, first, second, new in wounds:
        low, high = sorted((int(first * len(data)), int(second * len(data))))
        match kind:
            case "flip":
                data = (
                    data[:low] + bytes(a ^ b for a, b in zip(data[low : low + 1], new, strict=False)) + data[low + 1 :]
                )
            case "cut":
                data = data[:low] + data[high:]
            case "again":
                data = data[:high] + data[low:]
            case "over":
                data = data[:low] + new + data[low + len(new) :]
            case _:
                data = data[:low] + new + data[low:]
    return data[:LONGEST]
