"""Which ways the engine is given: a dead end for all but the exam, by the computer's proxy where it has one."""

import base64

import pytest

from app.shell.route import DIRECT, Endpoint, flags, proxy_hosts, ways

EXAM = Endpoint(scheme="https", host="exam.example.org", port=443)
BELOW = Endpoint(scheme="https", host="*.cdn.example.org", port=443)
LOCAL = Endpoint(scheme="http", host="[::1]", port=8080)
PROXY = "PROXY proxy.campus.example:3128"


def test_without_a_proxy_everything_else_is_a_dead_end() -> None:
    server, bypass = flags(ways([EXAM, BELOW, LOCAL], lambda _url: DIRECT))
    assert server == "--proxy-server=http://fairlock.invalid:1"
    assert bypass == "--proxy-bypass-list=<-loopback>;*.cdn.example.org:443;[::1]:8080;exam.example.org:443"


def test_a_proxy_is_asked_for_by_address() -> None:
    asked: list[str] = []

    def proxy_for(url: str) -> str:
        asked.append(url)
        return PROXY if "//exam." in url else DIRECT

    known = ways([EXAM, BELOW], proxy_for)
    assert known == {EXAM: PROXY, BELOW: DIRECT}
    assert asked == ["https://exam.example.org:443/", "https://www.cdn.example.org:443/"]
    assert proxy_hosts(known) == ("proxy.campus.example",)


def test_with_a_proxy_a_script_knows_the_ways() -> None:
    (flag,) = flags({EXAM: PROXY, LOCAL: DIRECT})
    name, _, encoded = flag.partition("base64,")
    assert name == "--proxy-pac-url=data:application/x-ns-proxy-autoconfig;"
    script = base64.b64decode(encoded).decode()
    assert '["exam.example.org", 443, "PROXY proxy.campus.example:3128"]' in script
    assert '["[::1]", 8080, "DIRECT"]' in script
    assert script.count('return "PROXY fairlock.invalid:1"') == 2


@pytest.mark.parametrize(
    "way", ["", "PROXY", "PROXY a b:1", 'PROXY a":1', "PROXY a.org", "PROXY a;DIRECT:1", "FTP a:1"]
)
def test_a_proxy_that_cannot_be_read_is_none(way: str) -> None:
    assert ways([EXAM], lambda _url: way) == {EXAM: DIRECT}


@pytest.mark.parametrize("way", [PROXY, "SOCKS5 10.0.0.1:1080", "PROXY [fd00::1]:80"])
def test_proxies_that_can_be_read(way: str) -> None:
    assert ways([EXAM], lambda _url: way) == {EXAM: way}
