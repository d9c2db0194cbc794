"""The gate: what it lets through and, above all, what it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.errors import UserFacing
from app.shell.gate import Gate, parse_address, parse_pattern

GATE = Gate(
    allow=("https://exam.example.org/quiz", "https://*.cdn.example.org", "http://127.0.0.1:8080/static/"),
    entry_url="https://enter.example.org/go?once=1",
    submit_url="https://exam.example.org/submit?done=",
)

REACHED = [
    "https://exam.example.org/quiz",
    "https://exam.example.org/quiz/1?page=2#top",
    "https://exam.example.org:443/quiz",
    "https://a.cdn.example.org/x.js",
    "https://a.b.cdn.example.org/x.js",
    "http://127.0.0.1:8080/static/a.css",
    "https://enter.example.org/anything",
    "https://exam.example.org/submit?done=1",
    "about:blank",
]

CLOSED = [
    "https://exam.example.org/",
    "https://exam.example.org/quizzes",
    "https://exam.example.org/quiz/../admin",
    "https://exam.example.org/quiz/%2e%2e/admin",
    "https://exam.example.org/quiz/..%2fadmin",
    "https://exam.example.org/quiz/%252e%252e/admin",
    "https://exam.example.org/quiz/..%5cadmin",
    "https://exam.example.org/submit",
    "http://exam.example.org/quiz",
    "https://exam.example.org:8443/quiz",
    "https://cdn.example.org/x.js",
    "https://evilcdn.example.org/x.js",
    "https://exam.example.org.evil.net/quiz",
    "https://exam.example.org@evil.net/quiz",
    "https://evil.net\\@exam.example.org/quiz",
    "https://exam.example.org%2f@evil.net/quiz",
    "https://user:pass@exam.example.org/quiz",
    "http://127.0.0.1:8081/static/a.css",
    "http://127.0.0.1:8080/statically",
    "https:///quiz",
    "https://*.cdn.example.org/x",
    "https://exam.example.org:port/quiz",
    "data:text/html,hello",
    "blob:https://exam.example.org/123",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "view-source:https://exam.example.org/quiz",
    "chrome://version",
    "qrc:/x",
    "about:srcdoc",
    "about:version",
    "ftp://exam.example.org/quiz",
    "HTTPS:exam.example.org/quiz",
    "intent://exam.example.org/quiz",
    "\x00https://exam.example.org/quiz",
    "https://exam.\u0435xample.org/quiz",
]


@pytest.mark.parametrize("url", REACHED)
def test_navigation_reaches(url: str) -> None:
    assert GATE.navigation(url).allowed


@pytest.mark.parametrize("url", CLOSED)
def test_navigation_is_closed(url: str) -> None:
    verdict = GATE.navigation(url)
    assert not verdict.allowed
    assert verdict.why


def test_frames_may_hold_what_the_page_wrote() -> None:
    assert GATE.navigation("about:srcdoc", main_frame=False).allowed
    assert not GATE.navigation("data:text/html,x", main_frame=False).allowed


@pytest.mark.parametrize("url", ["data:image/png;base64,AA==", "blob:https://exam.example.org/1"])
def test_resources_made_of_own_bytes_load(url: str) -> None:
    assert GATE.resource(url).allowed


def test_web_sockets_follow_the_page_they_belong_to() -> None:
    assert GATE.resource("wss://exam.example.org/quiz/live").allowed
    assert not GATE.resource("ws://exam.example.org/quiz/live").allowed
    assert not GATE.resource("wss://evil.net/quiz").allowed


@pytest.mark.parametrize("url", [url for url in CLOSED if not url.startswith(("data:", "blob:", "about:srcdoc"))])
def test_resources_are_closed(url: str) -> None:
    assert not GATE.resource(url).allowed


def test_submit_needs_the_same_origin() -> None:
    gate = Gate(allow=("https://e.org",), entry_url="https://e.org/", submit_url="https://e.org")
    assert gate.is_submit("https://e.org/x")
    assert not gate.is_submit("https://e.org.evil.net/")
    assert GATE.is_submit("https://exam.example.org/submit?done=yes")
    assert not GATE.is_submit("https://exam.example.org/submit?other=1&done=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "exam.example.org",
        "https://",
        "https://*",
        "https://a.*.org",
        "ftp://a.org",
        "https://a.org/x?y",
        "*://a.org",
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UserFacing) as caught:
        parse_pattern(text)
    assert caught.value.code == "E-POLICY-ADDRESS"


def test_endpoints_name_everything_reachable() -> None:
    assert [(endpoint.scheme, endpoint.host, endpoint.port) for endpoint in GATE.endpoints] == [
        ("https", "*.cdn.example.org", 443),
        ("http", "127.0.0.1", 8080),
        ("https", "enter.example.org", 443),
        ("https", "exam.example.org", 443),
    ]


@given(st.text(max_size=80))
def test_any_text_has_an_answer(url: str) -> None:
    GATE.navigation(url)
    GATE.resource(url)
    GATE.is_submit(url)


LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)
HOST = st.lists(LABEL, min_size=1, max_size=4).map(".".join)


@given(host=HOST, path=st.text("ab/.%25ce\\?#@:", max_size=20), prefix=st.sampled_from(["", "u@", "u:p@"]))
def test_only_listed_hosts_are_ever_reached(host: str, path: str, prefix: str) -> None:
    url = f"https://{prefix}{host}/{path}"
    if GATE.navigation(url).allowed:
        address = parse_address(url)
        assert address is not None
        assert address.host in ("exam.example.org", "enter.example.org") or address.host.endswith(".cdn.example.org")


@given(st.text("ab/.%25cfeF\\", max_size=24))
def test_below_a_prefix_stays_below_it(path: str) -> None:
    url = f"https://exam.example.org/quiz/{path}"
    if GATE.navigation(url).allowed:
        address = parse_address(url)
        assert address is not None
        assert ".." not in address.path.split("/")
        assert address.path.startswith("/quiz/")
