"""What exams on two servers left, of which the first answers oddly: the second has its own, and nothing is lost."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.clock import ManualClock
from app.recorder import background as background_module
from app.recorder.client import ServerClient
from app.recorder.marks import FINISHED, mark_handed_in
from app.recorder.turns import PATIENCE_S
from server import setup
from tests.e2e.server_rig import PASSWORD, Institution, timed
from tests.e2e.test_leftovers_background import DEADLINE_S, Sending, background, leave
from tests.faults.network import Answer, Network

STEP_S = background_module.LOOK_S / 10
JSON = [("Content-Type", "application/json")]
PORTAL = Answer(status=200, headers=[("Content-Type", "text/html")], body=b"<html><title>Welcome, guest</title></html>")
BROKEN = Answer(status=500, headers=[], body=b"oh")
REFUSAL = Answer(status=403, headers=JSON, body=b'{"code":"E-NOT-ALLOWED","detail":"never"}')
HANGS = None
"""No answer at all."""
ANSWER_S = 3.0


class Server(Network):
    """A real server behind an address of its own, where something else may answer some of the requests."""

    def __init__(self, port: int) -> None:
        super().__init__(port, seed=0, share=0)
        self._odd: tuple[str, Answer | None] | None = None
        self.asked, self._over = threading.Event(), threading.Event()

    def answer(self, path: str, answer: Answer | None) -> None:
        """Give this answer to whatever has ``path`` in its own."""
        self.asked, self._over = threading.Event(), threading.Event()
        self._odd = path, answer

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Pass a request on, or not."""
        odd, over = self._odd, self._over
        if odd is None or odd[0] not in path:
            return super().forward(method, path, headers, body)
        self.asked.set()
        if odd[1] is not None:
            return odd[1]
        over.wait(DEADLINE_S)
        raise ConnectionAbortedError

    def mend(self) -> None:
        """Answer everything as the server does."""
        self._odd = None
        self._over.set()


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[dict[Server, Institution]]:
    with ExitStack() as stack:
        made = {}
        for name in ("one", "two"):
            data = tmp_path_factory.mktemp(name) / "data"
            setup.prepare(data, admin="ada", password=PASSWORD)
            url = stack.enter_context(timed(data, clock))
            server = Server(httpx.URL(url).port or 0)
            stack.enter_context(server.running())
            http = stack.enter_context(httpx.Client(base_url=server.url, trust_env=False, timeout=30))
            made[server] = Institution(http)
            made[server].sign_in()
        yield made


class Left:
    """What two exams left in one home, ``first`` and ``second`` in the order in which they are sent."""

    def __init__(self, servers: dict[Server, Institution], home: Path, clock: ManualClock) -> None:
        self.home, self.clock, self.sending = home, clock, Sending()
        folders: dict[Path, Server] = {}
        for server, institution in servers.items():
            institution.exam(home.parent.name)
            link = replace(institution.invite(home.parent.name), server=server.url)
            folders[leave(home, link, clock)] = server
        self.first, self.second = sorted(folders)
        self.server = folders[self.first]
        for folder in folders:
            mark_handed_in(folder)

    def evidence(self) -> dict[str, bytes]:
        """Return the first one's sealed files."""
        return {file.name: file.read_bytes() for file in (self.first / "spool").glob("*.fls")}

    def passes_until(self, happened: Callable[[], bool]) -> bool:
        """Let time pass until something happened; whether it did. None passes any more once it has."""
        return self._waits(happened, lambda: self.clock.advance(STEP_S))

    def comes(self, happened: Callable[[], bool]) -> bool:
        """Wait for something that needs no time of the clock; whether it happened."""
        return self._waits(happened, lambda: None)

    def _waits(self, happened: Callable[[], bool], pass_time: Callable[[], None]) -> bool:
        nap = threading.Event()
        for _ in range(round(DEADLINE_S / 0.05)):
            if happened():
                return True
            pass_time()
            nap.wait(0.05)
        return False


@pytest.fixture
def left(
    servers: dict[Server, Institution], tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Left]:
    monkeypatch.setattr(background_module, "NAP_S", 0.05)
    monkeypatch.setattr(ServerClient._ask, "__kwdefaults__", {"timeout_s": (5.0, ANSWER_S)})
    made = Left(servers, tmp_path / "home", clock)
    yield made
    made.server.mend()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        pytest.param("", PORTAL, id="portal"),
        pytest.param("/bind", BROKEN, id="broken"),
        pytest.param("/bind", REFUSAL, id="refuses"),
        pytest.param("/bind", HANGS, id="hangs"),
        pytest.param("/segments", PORTAL, id="portal-on-the-way"),
        pytest.param("/segments", BROKEN, id="broken-on-the-way"),
        pytest.param("/segments", REFUSAL, id="refuses-evidence"),
        pytest.param("/segments", HANGS, id="hangs-on-the-way"),
        pytest.param("/end", REFUSAL, id="refuses-the-end"),
    ],
)
def test_an_odd_server_keeps_no_other_from_its_leftovers(left: Left, path: str, answer: Answer | None) -> None:
    kept = left.evidence()
    left.server.answer(path, answer)
    upload = background(left.home, left.clock, left.sending)
    upload.start()
    assert left.comes(left.server.asked.is_set)
    assert left.passes_until(lambda: left.second in left.sending.tried), "the second never has its turn"
    assert left.comes((left.second / FINISHED).exists), "the second's are never received"
    assert upload.end(DEADLINE_S)
    assert not (left.first / FINISHED).exists()
    if path != "/end":
        assert kept.items() <= left.evidence().items()
    left.server.mend()
    again = background(left.home, left.clock, left.sending)
    again.start()
    assert left.comes((left.first / FINISHED).exists), "what was kept is not sent to the server itself"
    assert again.end(DEADLINE_S)


def test_who_kept_others_waiting_has_its_turn_after_them(left: Left) -> None:
    left.server.answer("/segments", BROKEN)
    upload = background(left.home, left.clock, left.sending)
    upload.start()
    assert left.passes_until(lambda: left.second in left.sending.tried)
    assert left.comes((left.second / FINISHED).exists)
    assert left.passes_until(lambda: left.sending.tried[2:] == [left.first])
    left.clock.advance(2 * PATIENCE_S)  # alone, it keeps nobody waiting
    left.server.mend()
    assert left.passes_until((left.first / FINISHED).exists)
    assert upload.end(DEADLINE_S)
    assert left.sending.tried == [left.first, left.second, left.first]
