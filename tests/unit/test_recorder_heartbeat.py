"""Heartbeats: online and offline, frozen and thawed, signed actions once each."""

import threading
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.contract.actions import Action, ActionKind
from app.contract.errors import FairlockError, Retryable, UserFacing
from app.contract.sealing import jws
from app.contract.sealing.records import ACTION_TYPE
from app.contract.wire import Heartbeat, HeartbeatAnswer, Spent
from app.recorder import heartbeat as heartbeat_module
from app.recorder.client import ServerClient
from app.recorder.heartbeat import HeartbeatHandlers, HeartbeatLoop

SESSION = "session-1"


class ScriptedClient(ServerClient):
    """A client whose heartbeats are answered from a list."""

    def __init__(self, script: list[HeartbeatAnswer | FairlockError]) -> None:
        super().__init__("http://127.0.0.1:1")
        self._script = script
        self.beats: list[Heartbeat] = []

    def heartbeat(self, session: str, beat: Heartbeat) -> HeartbeatAnswer:
        self.beats.append(beat)
        said = self._script.pop(0)
        if isinstance(said, FairlockError):
            raise said
        return said


class Heard:
    """Records what the loop says."""

    def __init__(self) -> None:
        self.online: list[bool] = []
        self.frozen: list[bool] = []
        self.actions: list[Action] = []
        self.refused: list[FairlockError] = []

    def handlers(self) -> HeartbeatHandlers:
        return HeartbeatHandlers(
            on_online=self.online.append,
            on_frozen=self.frozen.append,
            on_action=self.actions.append,
            on_refused=self.refused.append,
        )


KEY = Ed25519PrivateKey.generate()


def _answer(*, frozen: bool = False, actions: tuple[str, ...] = ()) -> HeartbeatAnswer:
    return HeartbeatAnswer(server_ms=0, frozen=frozen, health=0, actions=actions)


def _loop(
    script: list[HeartbeatAnswer | FairlockError], spent: Callable[[], Spent] = Spent
) -> tuple[HeartbeatLoop, ScriptedClient, Heard]:
    client, heard = ScriptedClient(script), Heard()
    loop = HeartbeatLoop(
        client,
        SESSION,
        KEY.public_key(),
        interval_s=3,
        head=lambda: (b"\1" * 32, 7),
        handlers=heard.handlers(),
        spent=spent,
    )
    return loop, client, heard


def _action(identity: str, session: str = SESSION) -> Action:
    return Action(
        id=identity, session=session, kind=ActionKind.PAUSE, arguments={}, issuer="ada", issued_ms=1_800_000_000_000
    )


def test_carries_head_and_newest_cookie() -> None:
    loop, client, _ = _loop([_answer(), _answer()])
    loop.beat()
    loop.confirm("cookie-2")
    loop.beat()
    assert [(b.head, b.records, b.cookie) for b in client.beats] == [
        (b"\1" * 32, 7, None),
        (b"\1" * 32, 7, "cookie-2"),
    ]


def test_going_offline_and_back_is_said_once_each() -> None:
    gone = Retryable("gone")
    loop, _, heard = _loop([_answer(), gone, gone, _answer()])
    for _ in range(4):
        loop.beat()
    assert heard.online == [False, True]
    assert loop.online


def test_a_server_that_answers_from_the_start_is_no_news() -> None:
    loop, _, heard = _loop([_answer(), _answer()])
    loop.beat()
    loop.beat()
    assert heard.online == []
    assert loop.online


def test_a_server_that_is_away_from_the_start_is_news_and_so_is_its_coming() -> None:
    loop, _, heard = _loop([Retryable("gone"), _answer()])
    loop.beat()
    loop.beat()
    assert heard.online == [False, True]


def test_frozen_and_thawed_are_said_once_each() -> None:
    loop, _, heard = _loop([_answer(), _answer(frozen=True), _answer(frozen=True), _answer()])
    for _ in range(4):
        loop.beat()
    assert heard.frozen == [True, False]


def test_an_action_arrives_once_though_sent_twice() -> None:
    token = jws.sign(_action("a1"), KEY, typ=ACTION_TYPE)
    loop, _, heard = _loop([_answer(actions=(token,)), _answer(actions=(token,))])
    loop.beat()
    loop.beat()
    assert [action.id for action in heard.actions] == ["a1"]


def test_actions_forged_or_for_others_do_nothing() -> None:
    forged = jws.sign(_action("a1"), Ed25519PrivateKey.generate(), typ=ACTION_TYPE)
    elsewhere = jws.sign(_action("a2", "session-2"), KEY, typ=ACTION_TYPE)
    loop, _, heard = _loop([_answer(actions=(forged, elsewhere))])
    loop.beat()
    assert heard.actions == []
    assert len(heard.refused) == 1


def test_a_refusal_is_handed_on_and_does_not_mean_offline() -> None:
    loop, _, heard = _loop([UserFacing("no", advice="", code="E-SESSION-ENDED")])
    loop.beat()
    assert [error.code for error in heard.refused] == ["E-SESSION-ENDED"]
    assert heard.online == []


def test_carries_what_was_used_up_by_then() -> None:
    loop, client, _ = _loop([_answer(), _answer()], spent=iter([Spent(), Spent(breaks_ms=7, tries=1)]).__next__)
    loop.beat()
    loop.beat()
    assert [beat.spent for beat in client.beats] == [Spent(), Spent(breaks_ms=7, tries=1)]


def test_an_answer_that_does_not_come_keeps_nobody_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat_module, "JOIN_S", 0.01)
    asked, answers = threading.Event(), threading.Event()

    class Slow(ScriptedClient):
        def heartbeat(self, session: str, beat: Heartbeat) -> HeartbeatAnswer:
            asked.set()
            answers.wait()
            return super().heartbeat(session, beat)

    loop, _, _ = _loop([])
    loop._client = Slow([_answer()])
    loop.start()
    assert asked.wait(60)
    loop.stop()
    assert loop._thread.is_alive()
    answers.set()
    loop._thread.join(60)
    assert not loop._thread.is_alive(), "another one was sent"
