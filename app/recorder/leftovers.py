"""``fairlock upload``: sends evidence of earlier sessions that is still on this computer.

A session whose upload was cut short (network, power, a crash) is bound once more under a new epoch; torn segments are
recovered, everything is uploaded, and the session is ended. Records nothing and opens no device.
"""

import argparse
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from app import paths
from app.clock import SystemClock
from app.contract.errors import FairlockError, UserFacing
from app.contract.times import Clock
from app.contract.wire import ExamLink
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.joining import JoinedSession, SavedSession, bind_patiently, load_saved
from app.recorder.options import RecorderOptions
from app.recorder.ownership import owned
from app.recorder.recording import Recording, RecordingParts
from app.recorder.sources import Sources

FINISHED = "finished"
REASON = "sent_later"


def main(arguments: Sequence[str]) -> int:
    """Send what is left; 0 when nothing is left afterwards."""
    parser = argparse.ArgumentParser(prog="fairlock upload", description=__doc__.partition("\n")[0])
    parser.add_argument("--deadline", type=int, default=600, metavar="S", help="give up after this many seconds each")
    given = parser.parse_args(arguments)
    left = 0
    for folder, saved in unfinished(paths.data_dir()):
        _say(f"Exam of {saved.candidate}, session {saved.session}")
        try:
            complete = send(folder, saved, SystemClock(), deadline_s=given.deadline)
        except FairlockError as error:
            _say(f"  {error}  [{error.code}]")
            complete = False
        _say("  everything was received" if complete else "  stays on this computer")
        left += not complete
    return 1 if left else 0


def unfinished(home: Path) -> Iterator[tuple[Path, SavedSession]]:
    """Yield the folders of sessions that recorded something and were not ended."""
    for folder in sorted((home / "sessions").glob("*")):
        saved = load_saved(folder)
        if (folder / FINISHED).exists():
            continue
        if saved is None and _unsent(folder):
            _say(f"{folder} holds evidence, but its session.json can't be read: please keep it for your institution.")
        elif saved is not None and saved.origin_mono_ns:
            yield folder, saved


def mark_finished(folder: Path) -> None:
    """Note that the server has everything of this session."""
    try:
        (folder / FINISHED).touch(mode=0o600)
    except OSError as error:
        raise UserFacing(
            f"The session's folder can't be written ({error.strerror}).", advice="Check the rights of your home folder."
        ) from error


def send(folder: Path, saved: SavedSession, clock: Clock, *, deadline_s: float) -> bool:
    """Send one session's evidence; ``False`` when some stays. Raises what binding and ending may raise."""
    with owned(folder, clock):
        client = ServerClient(ExamLink.parse(saved.link).server)
        try:
            joined = bind_patiently(client, saved, folder=folder, program_token=secrets.token_bytes(32), clock=clock)
        except UserFacing as error:
            if error.code == "E-SESSION-ENDED" and not _unsent(folder):
                mark_finished(folder)  # only the server's last answer was lost
                return True
            raise
        return _send(folder, joined, client, clock, deadline_s)


def _send(folder: Path, joined: JoinedSession, client: ServerClient, clock: Clock, deadline_s: float) -> bool:
    recording = Recording(
        RecordingParts(
            joined=joined,
            client=client,
            sources=Sources(),
            detection=DetectionChoice(),
            clock=clock,
            options=RecorderOptions(home=folder),
        )
    )
    try:
        recording.start()
        recording.stop()
        complete = recording.flush(REASON, deadline_s, _progress)
        if complete:
            mark_finished(folder)
        return complete
    finally:
        recording.close()


def _unsent(folder: Path) -> bool:
    spool = folder / "spool"
    return any(spool.glob("*.fls")) or any(spool.glob("*.part"))


def _progress(sent: int, total: int) -> None:
    _say(f"  {sent / 2**20:.1f} of {total / 2**20:.1f} MB")


def _say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)  # noqa: T201  (a command's answer)
