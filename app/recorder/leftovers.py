"""``fairlock upload``: sends evidence of earlier sessions that is still on this computer.

A session whose upload was cut short (network, power, a crash) is bound once more under a new epoch; torn segments are
recovered, everything is uploaded, and the session is ended. One that its candidate may still go on with is left alone,
because nobody goes on with a session that was ended. Records nothing and opens no device.
"""

import argparse
import secrets
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from app import paths
from app.clock import SystemClock
from app.contract.errors import FairlockError, UserFacing
from app.contract.legible import legible
from app.contract.times import Clock
from app.contract.wire import ExamLink
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.joining import JoinedSession, SavedSession, bind_patiently, load_saved
from app.recorder.marks import is_finished, is_over, mark_finished
from app.recorder.options import RecorderOptions
from app.recorder.ownership import owned
from app.recorder.recording import Recording, RecordingParts
from app.recorder.sources import Sources
from app.recorder.time_left import TimeLeft

REASON = "sent_later"
SAY_EVERY_S = 2.0
ENDING = "fairlock upload --end"
TROUBLES = (FairlockError, OSError, sqlite3.Error)
"""What can be wrong with one session (its folder, its files, its server) and with no other one."""

OnProgress = Callable[[int, int], None]
"""Takes bytes received and bytes of all. What it raises ends the sending; what is sent by then stays sent."""


def main(arguments: Sequence[str]) -> int:
    """Send what is left; 0 when nothing is left afterwards."""
    parser = argparse.ArgumentParser(prog="fairlock upload", description=__doc__.partition("\n")[0])
    parser.add_argument("--deadline", type=int, default=600, metavar="S", help="give up after this many seconds each")
    parser.add_argument("--end", action="store_true", help="also send, and end, what its link could still go on with")
    given = parser.parse_args(arguments)
    left, clock = 0, SystemClock()
    for folder in unreadable(paths.data_dir()):
        _say(f"{folder} holds evidence, but its session.json can't be read: please keep it for your institution.")
    for folder, saved in unfinished(paths.data_dir()):
        _say(f"Exam of {saved.candidate}, session {saved.session}")
        if given.end or is_over(folder, saved, clock):
            left += not _is_sent(folder, saved, clock, deadline_s=given.deadline, even_open=given.end)
        else:
            _say(f"  left alone: its link goes on with it, and sends the rest. To end it instead: {ENDING}")
            left += _unsent(folder)
    return 1 if left else 0


def _is_sent(folder: Path, saved: SavedSession, clock: Clock, *, deadline_s: float, even_open: bool) -> bool:
    """Send one session, and say what came of it: whatever that is, the next one has its turn."""
    complete = False
    try:
        progress = Progress(clock, _say)
        complete = send(folder, saved, clock, deadline_s=deadline_s, on_progress=progress, even_open=even_open)
    except FairlockError as error:
        _say(f"  {error}  [{error.code}]")
    except TROUBLES as error:
        _say(f"  {folder} can't be worked on ({error}): see whether the disk is full and the folder yours; try again.")
    _say("  everything was received" if complete else "  stays on this computer")
    return complete


def unfinished(home: Path) -> Iterator[tuple[Path, SavedSession]]:
    """Yield the folders of sessions that recorded something and were not ended."""
    for folder in sorted((home / "sessions").glob("*")):
        saved = load_saved(folder)
        if saved is not None and saved.origin_mono_ns and not is_finished(folder):
            yield folder, saved


def unreadable(home: Path) -> Iterator[Path]:
    """Yield the folders that hold evidence of nobody knows which session."""
    for folder in sorted((home / "sessions").glob("*")):
        try:
            if load_saved(folder) is None and _unsent(folder) and not is_finished(folder):
                yield folder
        except OSError:  # not even looked into
            yield folder


def send(
    folder: Path,
    saved: SavedSession,
    clock: Clock,
    *,
    deadline_s: float,
    on_progress: OnProgress = lambda _sent, _total: None,
    even_open: bool = False,
) -> bool:
    """Send one session's evidence and end it; ``False`` when some stays.

    A session that can be taken up again is left as it is, unless ``even_open``. Raises ``TROUBLES``, and what
    ``on_progress`` raises.
    """
    with owned(folder, clock), closing(ServerClient(ExamLink.parse(saved.link).server)) as client:
        if not even_open and not is_over(folder, saved, clock):  # taken up again, perhaps, by who owned it until now
            return False
        try:
            joined = bind_patiently(client, saved, folder=folder, program_token=secrets.token_bytes(32), clock=clock)
        except UserFacing as error:
            if error.code == "E-SESSION-ENDED" and not _unsent(folder):
                mark_finished(folder)  # only the server's last answer was lost
                return True
            raise
        return _send(folder, joined, client, clock, lambda recording: recording.flush(REASON, deadline_s, on_progress))


def _send(
    folder: Path, joined: JoinedSession, client: ServerClient, clock: Clock, flush: Callable[[Recording], bool]
) -> bool:
    recording = Recording(
        RecordingParts(
            joined=joined,
            client=client,
            sources=Sources(),
            detection=DetectionChoice(),
            clock=clock,
            options=RecorderOptions(home=folder),
            sends_only=True,
        )
    )
    try:
        recording.start()
        recording.stop()
        complete = flush(recording)
        if complete:
            mark_finished(folder)
        return complete
    finally:
        recording.close()


def _unsent(folder: Path) -> bool:
    spool = folder / "spool"
    return any(spool.glob("*.fls")) or any(spool.glob("*.part"))


class Progress:
    """Says now and then how far the sending is, and how long it may still take."""

    def __init__(self, clock: Clock, say: Callable[[str], None]) -> None:
        self._clock, self._say = clock, say
        self._time_left = TimeLeft(clock)
        self._said_ns: int | None = None

    def __call__(self, sent: int, total: int) -> None:
        """Take bytes received and bytes of all."""
        now_ns = self._clock.now().mono_ns
        left_s = self._time_left.estimate(sent, total)
        if sent < total and self._said_ns is not None and now_ns - self._said_ns < SAY_EVERY_S * 1e9:
            return
        self._said_ns = now_ns
        rest = "" if left_s is None or sent == total else f", about {max(1, round(left_s / 60))} min left"
        self._say(f"  {sent / 2**20:.1f} of {total / 2**20:.1f} MB{rest}")


def _say(text: str) -> None:
    print(legible(text), file=sys.stdout, flush=True)  # noqa: T201  (a command's answer)
