"""A recorder and a guard that answer the shell as the real ones do, over real channels, without devices or changes.

Options are plain dictionaries: ``origin`` (the exam site), ``die`` (a moment at which the process kills itself, once),
``policy`` (parts of the policy that differ), ``tick_s`` (how long each fifth of the upload takes).
"""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app import messages as m
from app.channel import Channel
from app.contract import schema
from app.mailbox import Bounded, Closed
from tests.unit.shell_policies import policy_for

_TICK_S = 0.3


def recorder(connection: "Connection[bytes, bytes]", options: Mapping[str, Any]) -> None:
    """Play the recorder; every message of the shell is written to ``options["log"]``."""
    _serve(connection, "recorder", _Recorder(options).answer, options)


def guard(connection: "Connection[bytes, bytes]", options: Mapping[str, Any]) -> None:
    """Play the guard."""
    _serve(connection, "guard", _guard_answer, options)


class _Recorder:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._recording = False

    def answer(self, message: object, send: Callable[[object], None]) -> None:
        match message:
            case m.OpenLink():
                self._join(send)
            case m.RunChecks():
                self._check(send)
            case m.StartRecording():
                self._recording = True
                send(m.RecordingStarted())
            case m.Finish():
                self._flush(send)
            case m.CookieSeen() if self._options.get("die") == "cookie":
                _die_once(Path(self._options["log"]).with_suffix(".died"))
            case None if self._recording:
                send(m.Status(online=True, frozen=False, pending_bytes=0, segments=3, incidents=0))

    def _join(self, send: Callable[[object], None]) -> None:
        if code := self._options.get("refuse"):
            send(m.Refused(code=code, message=""))
            return
        policy = policy_for(self._options["origin"], demonstration=True, **self._options.get("policy", {}))
        send(
            m.Joined(
                session="s",
                candidate="Kim Lee",
                policy=schema.dumps(policy).decode(),
                entry_url=f"{self._options['origin']}/cookie",
            )
        )

    def _check(self, send: Callable[[object], None]) -> None:
        for name, words in (
            ("Server", "Your institution's server answers."),
            ("Disk", "112 GB are free."),
            ("Camera", "Sample footage stands in for a device."),
            ("Microphone", "Built-in microphone works."),
            ("Screen", "The screen can be recorded."),
            ("Detection", "objects: yolo11n; faces: blaze face; speech: silero"),
        ):
            send(m.Check(name=name, ok=True, blocking=True, message=words))
        send(m.ChecksDone(sources={"camera": "sample", "microphone": "device", "screen": "device"}, models={}))

    def _flush(self, send: Callable[[object], None]) -> None:
        total = 18_400_000
        for part in range(1, 6):
            send(m.FlushProgress(sent_bytes=total * part // 5, total_bytes=total))
            time.sleep(self._options.get("tick_s", _TICK_S))
        send(m.Flushed(complete=True, message=""))


def _guard_answer(message: object, send: Callable[[object], None]) -> None:
    decoy = m.ProcessInfo(pid=4242, name="screenshare", path="/opt/screenshare/screenshare", rule="list")
    match message:
        case m.Examine():
            send(m.Examined(tier="B", concerns=()))
        case m.CloseProcesses(close=False):
            send(m.ProcessesFound(processes=(decoy,)))
        case m.CloseProcesses():
            send(m.ProcessesClosed(closed=(decoy,), left=()))
        case m.Engage():
            send(m.Engaged(holding=("process_watch", "clipboard_guard"), missing={}))
        case m.Release():
            send(m.Released(undone=("The clipboard works again.", "The computer may go to sleep again."), failed=()))


def _serve(
    connection: "Connection[bytes, bytes]",
    name: str,
    answer: Callable[[object, Callable[[object], None]], None],
    options: Mapping[str, Any],
) -> None:
    inbox: Bounded[object] = Bounded(64)
    channel = Channel(connection, f"{name}-fake")
    log = Path(options["log"]).with_suffix(f".{name}")
    channel.start(partial(_keep, inbox), inbox.close)
    try:
        while True:
            message = inbox.take(_TICK_S)
            if message is not None:
                with log.open("a") as out:
                    out.write(f"{message}\n")
            answer(message, channel.send)
    except Closed:
        channel.close()


def _keep(inbox: Bounded[object], message: object) -> None:
    inbox.put(message)


def _die_once(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os._exit(9)
