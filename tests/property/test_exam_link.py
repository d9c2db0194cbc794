"""Exam links come back as they were written; anything else is refused in words."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.errors import UserFacing
from app.contract.wire import ExamLink
from tests.property.contract_values import TEXT

PIN = "x" * 43
WORDS = TEXT.filter(bool)


@given(exam=WORDS, invite=WORDS, pin=st.text("abcXYZ019-_", min_size=43, max_size=43))
def test_a_link_comes_back_as_it_was_written(exam: str, invite: str, pin: str) -> None:
    link = ExamLink(server="https://exams.example.org", exam=exam, invite=invite, pin=pin)
    assert ExamLink.parse(link.url()) == link
    assert ExamLink.parse(f"  {link.url()}\n") == link


@given(st.text(max_size=80) | st.text(max_size=80).map(lambda text: f"fairlock://join?{text}"))
def test_any_other_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(UserFacing) as caught:
        ExamLink.parse(text)
    assert caught.value.code == "E-LINK"


def _link(**changes: str | None) -> str:
    fields = {"server": "https://exams.example.org", "exam": "e", "invite": "i", "pin": PIN, **changes}
    return "fairlock://join?" + "&".join(f"{k}={quote(v, safe='')}" for k, v in fields.items() if v is not None)


def test_the_link_of_these_tests_is_sound() -> None:
    assert ExamLink.parse(_link()).exam == "e"


@pytest.mark.parametrize(
    "text",
    [
        *(_link(**{name: None}) for name in ("server", "exam", "invite", "pin")),
        _link(pin="short"),
        _link(extra="1"),
        _link() + "&exam=another",
        _link(server="exams.example.org"),
        _link(server="https://"),
        _link(server="https://[::1"),
        "fairlock://[join",
        _link(server="javascript:alert(1)"),
        _link(server="file:///etc/passwd"),
        _link().replace("fairlock:", "https:"),
        _link().replace("//join", "//leave"),
    ],
)
def test_a_broken_link_is_refused(text: str) -> None:
    with pytest.raises(UserFacing) as caught:
        ExamLink.parse(text)
    assert caught.value.code == "E-LINK"


@pytest.mark.parametrize("server", ["http://exams.example.org", "http://127.0.0.1.example.org", "ftp://localhost"])
def test_a_server_without_encryption_is_refused(server: str) -> None:
    with pytest.raises(UserFacing, match="without encryption"):
        ExamLink.parse(_link(server=server))


@pytest.mark.parametrize("server", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:9"])
def test_this_machine_needs_no_encryption(server: str) -> None:
    assert ExamLink.parse(_link(server=server)).server == server
