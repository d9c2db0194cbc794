"""How a piece of bytes and a JSON value are broken: wounds, and other values. The same for the same ``rng``."""

import json
import random
import struct
from collections.abc import Callable
from typing import Any

EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
DEEP: Any = json.loads("[" * 15 + "]" * 15)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**53 - 1, 2**53, -(2**53) + 1, 1.0, 1e300, [], {}, [[]], DEEP, [DEEP], [[DEEP]]),
    *("", "x" * 64, "x" * 65, "\N{MATHEMATICAL SCRIPT CAPITAL X}" * 64, "é" * 200, "é" * 201, "\u2028", "\x7f", "\0"),
    *({"__proto__": 1}, {"constructor": 1}, "__proto__", "toString", "camera", "ok", {"a": 1}, ["x"], "A" * 43),
    *("\N{BYTE ORDER MARK}x", "e\N{COMBINING ACUTE ACCENT}", "AA", "AB", "A", "AA==", "A+/A", "2", "1.0", [1] * 70),
)
KEYS = ("x", "__proto__", "constructor", "version", "é", "", "Session", "10", "9")
BOMBS = (
    *(b"[" * 50_000, b'{"a":' * 20_000, b"[" * 17 + b"]" * 17, b"[" * 16 + b"]" * 16, b"9" * 5_000, b"1e999999999"),
    *(
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\xed\xa0\x80"',
        b'{"a":1,"a":2}',
        b"\0" * 500,
        b"\xff\xfe",
        b"\xef\xbb\xbf1",
    ),
    *(b"-0", b"01", b"1.0", b"1e2", b'"\\u007f"', b'"\\/"', b'"\x7f"', b" 1", b"1 ", b"NaN", b"", b'{"b":1,"a":2}'),
    *(b'{"\xc3\xa9":1}', b'{"10":1,"9":2}', b'{"9":1,"10":2}', b"9007199254740991", b"9007199254740993", b'"\\u001F"'),
)


def another(rng: random.Random) -> Any:
    """Return a value of those that readers stumble over."""
    return json.loads(json.dumps(rng.choice(_VALUES)))


def changed(value: Any, rng: random.Random) -> Any:
    """Return a copy with another value at one to three places."""
    copy = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        holder, key = _place(copy, rng)
        if holder is None:
            return another(rng)
        _change(holder, key, rng)
    return copy


def _place(value: Any, rng: random.Random) -> tuple[Any, Any]:
    holder, key = None, None
    while isinstance(value, dict | list) and value and (holder is None or rng.random() < 0.6):
        key = rng.choice(sorted(value) if isinstance(value, dict) else range(len(value)))
        holder, value = value, value[key]
    return holder, key


def _change(holder: Any, key: Any, rng: random.Random) -> None:
    old = holder[key]
    changes: list[Callable[[], Any]] = [lambda: another(rng)] * 3
    if isinstance(old, int):
        changes += [lambda: old + rng.choice((-1, 1, 1_000_000)), lambda: -old]
    if isinstance(old, str):
        changes += [lambda: old[:-1], lambda: old + rng.choice("AB=é"), lambda: old[:-1] + "B", lambda: old * 3]
        # As long as the longest texts may be in code points, and twice that in UTF-16.
        changes += [lambda: "\N{MATHEMATICAL SCRIPT CAPITAL X}" * rng.choice((64, 65, 200, 201))]
    if isinstance(old, list):
        changes += [lambda: old + old, lambda: old[1:], lambda: old[::-1], lambda: old * 40]
    if isinstance(old, dict):
        changes += [lambda: {**old, rng.choice(KEYS): another(rng)}]
    if isinstance(holder, dict) and rng.random() < 0.25:
        del holder[key]
        if rng.random() < 0.5:
            holder[rng.choice(KEYS)] = another(rng)
        return
    holder[key] = rng.choice(changes)()


def wounded(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with one to four wounds: flipped, cut out, repeated, overwritten, put in."""
    for _ in range(rng.randrange(1, 5)):
        low, high = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        if rng.random() < 0.5:
            high = min(len(data), low + rng.randrange(1, 9))
        edge = struct.pack(">I", rng.choice(EDGES))
        data = rng.choice(
            (
                data[:low] + bytes(byte ^ (1 << rng.randrange(8)) for byte in data[low : low + 1]) + data[low + 1 :],
                data[:low] + data[high:],
                data[:high] + data[low:],
                data[:low] + edge + data[low + 4 :],
                data[:low] + rng.choice(BOMBS[2:]) + data[low:],
            )
        )
    return data
