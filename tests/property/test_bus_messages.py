"""Whatever comes from a message bus is an answer or a sentence, and a call says what it was made of."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.errors import Unsupported
from lockdown.linux_system import bus_messages
from lockdown.linux_system.bus_messages import HEAD_SIZE, MOST_BYTES, Service, answer, call, sizes, text_at

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@given(st.binary(min_size=HEAD_SIZE, max_size=HEAD_SIZE), st.binary(max_size=200), st.binary(max_size=50))
def test_any_bytes_are_an_answer_or_unsupported(head: bytes, fields: bytes, body: bytes) -> None:
    for order in (head[:1], b"l"):
        with suppress(Unsupported):
            assert sum(sizes(order + head[1:])) <= MOST_BYTES + 7
    with suppress(Unsupported):
        text_at(answer(head[:12] + struct.pack("=I", len(fields)), fields, body).body, 0)


@given(st.integers(1, 2**32 - 1), NAMES, NAMES, NAMES, NAMES, st.lists(NAMES, max_size=3))
def test_a_call_says_what_it_was_made_of(
    serial: int, name: str, path: str, interface: str, method: str, texts: list[str]
) -> None:
    made = call(serial, Service(name=name, path=path, interface=interface), method, texts)
    fields, body = sizes(made[:HEAD_SIZE])
    assert len(made) == HEAD_SIZE + fields + body
    (unpadded,) = struct.unpack_from("=I", made, 12)
    said = dict(bus_messages._fields(made[HEAD_SIZE : HEAD_SIZE + unpadded]))
    assert said == {1: path, 2: interface, 3: method, 6: name}
    at = HEAD_SIZE + fields
    for text in texts:
        at += -at % 4
        assert text_at(made, at) == text
        at += 4 + len(text.encode()) + 1
    assert at == len(made)


@pytest.mark.parametrize("size", [MOST_BYTES, 2**32 - 1])
def test_what_is_too_long_is_not_waited_for(size: int) -> None:
    made = call(1, Service(name="n", path="/p", interface="i"), "m", ())
    with pytest.raises(Unsupported):
        sizes(made[:4] + struct.pack("=I", size) + made[8:HEAD_SIZE])
