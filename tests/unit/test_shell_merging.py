"""Many refusals make few reports, and none is forgotten."""

from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from app.shell.merging import MOST_BUCKETS, OTHERS, WINDOW_S, Merging

BLOCKED, DENIED = IncidentKind.NAVIGATION_BLOCKED, IncidentKind.PERMISSION_DENIED


class Journal:
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.said: list[tuple[IncidentKind, dict[str, str]]] = []
        self.merging = Merging(lambda kind, facts: self.said.append((kind, facts)), self.clock)

    def blocked(self, address: str, why: str = "not on the list") -> None:
        self.merging.add(BLOCKED, {"address": address, "why": why})


def test_ten_thousand_of_one_origin_are_one_report_and_one_count() -> None:
    journal = Journal()
    for number in range(10_000):
        journal.blocked(f"http://stranger.example/{number}")
    assert journal.said == [(BLOCKED, {"address": "http://stranger.example/0", "why": "not on the list"})]
    journal.clock.advance(WINDOW_S)
    journal.merging.flush()
    journal.merging.flush()
    assert journal.said[1:] == [
        (BLOCKED, {"address": "http://stranger.example", "why": "not on the list", "count": "9999"})
    ]


def test_ten_thousand_origins_are_few_reports_and_all_are_counted() -> None:
    journal = Journal()
    for number in range(10_000):
        journal.blocked(f"http://{number}.example/")
    journal.merging.flush(everything=True)
    assert len(journal.said) == MOST_BUCKETS + 2
    assert sum(int(facts.get("count", "1")) for _, facts in journal.said) == 10_000
    assert journal.said[-1][1] == {"address": OTHERS, "count": str(10_000 - MOST_BUCKETS - 1)}


def test_another_kind_is_not_hidden_by_a_flood() -> None:
    journal = Journal()
    for number in range(100):
        journal.blocked(f"http://{number}.example/")
    journal.merging.add(DENIED, {"permission": "print"})
    journal.merging.add(DENIED, {"permission": "screen"})
    assert [facts["permission"] for kind, facts in journal.said if kind is DENIED] == ["print", "screen"]


def test_what_comes_again_later_is_reported_again_at_once() -> None:
    journal = Journal()
    journal.blocked("http://stranger.example/1")
    journal.clock.advance(WINDOW_S)
    journal.merging.flush()
    journal.blocked("http://stranger.example/2")
    assert [facts["address"] for _, facts in journal.said] == ["http://stranger.example/1", "http://stranger.example/2"]


def test_addresses_without_a_host_are_told_apart_by_their_scheme() -> None:
    journal = Journal()
    for address in ("data:text/html,1", "data:text/html,2", "mailto:a@b"):
        journal.blocked(address, "scheme")
    journal.merging.flush(everything=True)
    assert [facts["address"] for _, facts in journal.said] == ["data:text/html,1", "mailto:a@b", "data"]
