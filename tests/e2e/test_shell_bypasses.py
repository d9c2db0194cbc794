"""Each way out of the exam tab, tried by a hostile page in the real engine with the flags of an exam.

Two strangers count what reaches them: another host, and another port beside the exam (a program on the candidate's own
machine). Nothing may: no request, no connection, no packet. The same attacks are then run with every fence down, where
they must arrive, so that none of them is harmless by mistake.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.hostile.attacks import NAVIGATIONS, RESOURCES, WORKERS, Attack
from tests.e2e.hostile.rig import Rig, rig
from tests.e2e.hostile.sites import EXAM_HOST, OTHER_HOST, Answer, ExamSite, Stranger, exam_site, stranger

ATTACKS = {**RESOURCES, **WORKERS, **NAVIGATIONS}
ALL_FENCES = ("navigation", "interceptor", "windows", "rule", "route")
PATH = "/attack"


@pytest.fixture(scope="module")
def site() -> Iterator[ExamSite]:
    with exam_site() as served:
        yield served


@pytest.fixture(scope="module")
def strangers() -> Iterator[list[Stranger]]:
    with stranger(OTHER_HOST) as far, stranger(EXAM_HOST) as near:
        yield [far, near]


@pytest.fixture(scope="module")
def tab(site: ExamSite) -> Iterator[Rig]:
    with rig(site) as made:
        yield made


@pytest.fixture(scope="module")
def open_tab() -> Iterator[Rig]:
    """A tab without any of our fences, on a site of its own."""
    with exam_site() as served, rig(served, without=ALL_FENCES) as made:
        yield made


def attempt(tab: Rig, attack: Attack, place: str) -> None:
    """Load the page of the attack, and click where it wants a click."""

    def aimed(text: str) -> str:
        return text.replace("PLACE", place).replace("EXAM", tab.site.origin.removeprefix("http://"))

    for path, answer in attack.site.items():
        headers = {name: aimed(value) for name, value in answer.headers.items()}
        tab.site.answers[path] = Answer(
            status=answer.status, kind=answer.kind, headers=headers, body=aimed(answer.body.decode()).encode()
        )
    headers = {name: aimed(value) for name, value in attack.headers.items()}

    def show() -> None:
        tab.show(aimed(attack.page), PATH, kind=attack.kind, headers=headers)

    if attack.click is None:
        show()
        return
    element, how = attack.click
    button, modifier = ("middle", "") if how == "middle" else ("left", how)

    def is_there() -> bool:
        """What the attack before this one opened may still come late, in the place of the page."""
        show()
        return bool(tab.js(f"document.getElementById('{element}')!==null"))

    tab.until(is_there)
    tab.click(element, button, modifier)


@pytest.mark.parametrize("name", ATTACKS)
def test_bypass(name: str, tab: Rig, strangers: list[Stranger]) -> None:
    attack = ATTACKS[name]
    for one in (
        strangers[:1] if attack.is_seen else strangers
    ):  # what the gate is asked about it answers by the port too
        tab.ask("reports")
        attempt(tab, attack, one.place)
        if attack.is_seen:
            tab.until(lambda: tab.ask("reports")["incidents"])
        state = tab.ask("state")
        assert (state["windows"], state["opened"]) == (["QWidget"], [])
        assert state["url"].startswith(f"{tab.site.origin}/")
        assert [other.arrivals for other in strangers] == [[], []]


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.arrives])
def test_without_fences_it_arrives(name: str, open_tab: Rig) -> None:
    with stranger(OTHER_HOST) as far:
        attempt(open_tab, ATTACKS[name], far.place)
        open_tab.until(lambda: far.arrivals)


UNSEEN = (
    "preconnect",
    "fetch from a shared worker",
    "web socket from a service worker",
    "web transport",
    "call to a stranger (WebRTC)",
)


@pytest.mark.parametrize("fence", ["rule", "route"])
def test_one_fence_alone_stops_what_the_interceptor_does_not_see(fence: str) -> None:
    others = [name for name in ALL_FENCES if name != fence]
    with exam_site() as served, stranger(OTHER_HOST) as far, rig(served, without=others) as tab:
        for name in UNSEEN:
            attempt(tab, ATTACKS[name], far.place)
            tab.wait_js("await new Promise(done=>setTimeout(done,300))")
        assert far.arrivals == []


def test_only_the_route_stops_another_port_of_the_exams_host() -> None:
    others = [name for name in ALL_FENCES if name != "rule"]
    with exam_site() as served, stranger(EXAM_HOST) as near, rig(served, without=others) as tab:
        attempt(tab, ATTACKS["web socket from a service worker"], near.place)
        tab.until(lambda: near.arrivals)


def test_nothing_arrived_later_either(tab: Rig, strangers: list[Stranger]) -> None:
    """The last of this module: what was tried all along has had time to arrive."""
    tab.home()
    assert [one.arrivals for one in strangers] == [[], []]
