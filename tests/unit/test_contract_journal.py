"""A picture's fragment holds its description and the image, a damaged one is refused; all types are described."""

import re
from pathlib import Path

import pytest

from app.contract.errors import IntegrityError
from app.contract.journal import EntryType, PictureMeta, decode_picture, encode_picture

META = PictureMeta(incident="i-1", at_ms=61_250, mime="image/jpeg")
IMAGE = bytes(range(256))


def test_a_picture_comes_back_as_it_went() -> None:
    assert decode_picture(encode_picture(META, IMAGE)) == (META, IMAGE)
    assert decode_picture(encode_picture(META, b"")) == (META, b"")


@pytest.mark.parametrize("length", [0, 3, 4, 20])
def test_a_picture_cut_short_is_refused(length: int) -> None:
    with pytest.raises(IntegrityError):
        decode_picture(encode_picture(META, IMAGE)[:length])


def test_a_description_with_another_key_is_refused() -> None:
    fragment = encode_picture(META, IMAGE)
    with pytest.raises(IntegrityError):
        decode_picture(fragment.replace(b'"mime"', b'"kind"'))


def test_the_format_names_every_type_of_entry() -> None:
    text = (Path(__file__).parents[2] / "docs" / "evidence-format.md").read_text("utf-8")
    listed = re.search(r"^- `journal`: .*?; `type` is (.+?)\.", text, re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert re.findall(r"`([a-z]+)`", listed.group(1)) == [kind.value for kind in EntryType]
