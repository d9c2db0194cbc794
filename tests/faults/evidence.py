"""Records through a network that goes wrong, with kills of either side and full disks, and counts what arrived.

``python -m tests.faults.evidence [-n 1000] [--seed 7] [--workers 3]`` injects at least ``n`` faults and prints how
often each kind was met. A session is a real recorder process (camera and microphone from files), a real server process
and the ``Network`` between them. Afterwards everything is calm, the candidate hands in, and the evidence is exported,
verified and decrypted: each fragment that a spool ever acknowledged must be in it exactly once, and the chain intact.
"""

import argparse
import os
import random
import resource
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from app import messages as m
from app.clock import SystemClock
from app.contract import schema
from app.contract.policy import Capture, Detection, Policy, Upload
from app.contract.sealing import jws
from app.contract.sealing.archive import open_export
from app.contract.sealing.evidence import segment_name
from app.contract.sealing.records import POLICY_TYPE, Record
from app.contract.sealing.segment import OpenedSegment
from app.contract.sealing.verify import verify_session
from app.contract.session import SessionState
from app.contract.wire import ExamLink, ServerKeys
from app.demo import institution as founding
from app.recorder.leftovers import send, unfinished
from app.recorder.options import RecorderOptions
from app.supervisor import Child, Supervisor
from tests.e2e.stage import MEDIA_TRACKS, Stage, stage, write_camera, write_microphone
from tests.faults.network import Network
from tests.faults.recording_child import ACKNOWLEDGED
from tests.faults.recording_child import main as recorder_main

T = TypeVar("T")

SHARE = 0.35
"""Of the requests, how many meet trouble."""
JOINING_S = 90.0
FLUSH_S = 120.0
FULL_BYTES = 4096


class Silent(Exception):
    """The recorder did not say what was awaited in time."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of one session."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    chain: str = ""
    unopened: list[str] = field(default_factory=list)
    lives: int = 0

    @property
    def is_good(self) -> bool:
        """Whether the evidence kept every promise."""
        return self.chain == "intact" and not (self.lost or self.doubled or self.unopened) and self.acknowledged > 0


class Shell:
    """The shell's side of one recorder process after another."""

    def __init__(self, options: RecorderOptions, link: str) -> None:
        self._options, self._link = options, link
        self._changed = threading.Condition()
        self._arrived: list[object] = []
        self._closed = threading.Event()
        self.supervisor = Supervisor()
        self.child: Child | None = None

    def start(self) -> int:
        """Start a recorder and bring it to recording, asking again as a candidate would; return how many it took.

        One that says nothing for long on a busy machine is ended by its supervisor, and the application starts the
        next. Raises ``Silent`` when it never records.
        """
        deadline = time.monotonic() + JOINING_S
        lives = 1
        while not self._starts(deadline):
            lives += 1
        return lives

    def _starts(self, deadline: float) -> bool:
        try:
            self._start(deadline)
        except Silent:
            if not self._closed.is_set() or time.monotonic() > deadline:
                raise
            return False
        return True

    def _start(self, deadline: float) -> None:
        self._closed.clear()
        self.child = self.supervisor.spawn(
            "recorder", recorder_main, self._options, on_message=self._take, on_closed=self._closed.set
        )
        token = secrets.token_bytes(32)
        self._ask(m.OpenLink(link=self._link, program_token=token), m.Joined, deadline)
        self._ask(m.RunChecks(), m.ChecksDone, deadline)
        self._ask(m.StartRecording(), m.RecordingStarted, deadline)
        self.child.send(m.StateIs(state=SessionState.RUNNING, why="locked"))

    def kill(self) -> None:
        """Kill the recorder as a crash would."""
        assert self.child is not None
        pid = self.child.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert self._closed.wait(20)
        self.child.process.join(20)
        self.child = None

    def finish(self) -> bool:
        """Hand in; whether everything was received."""
        assert self.child is not None
        return self._ask(m.Finish(reason="submit"), m.Flushed, time.monotonic() + FLUSH_S).complete

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let the recorder's files not grow beyond a page: the kernel refuses writes as a full disk does."""
        assert self.child is not None
        pid = self.child.process.pid
        assert pid is not None
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, before[1]))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    def _ask(self, question: object, kind: type[T], deadline: float) -> T:
        assert self.child is not None
        while True:
            with self._changed:
                self._arrived.clear()
            self.child.send(question)
            answer = self._wait((kind, m.Refused), deadline)
            if isinstance(answer, kind):
                return answer
            if time.monotonic() > deadline or self._closed.is_set():
                raise Silent(f"{type(question).__name__}: {answer}")
            threading.Event().wait(0.3)

    def _wait(self, kinds: tuple[type, ...], deadline: float) -> object:
        def find() -> object:
            return next((message for message in self._arrived if isinstance(message, kinds)), None)

        with self._changed:
            self._changed.wait_for(lambda: find() is not None or self._closed.is_set(), deadline - time.monotonic())
            found = find()
        if found is None:
            raise Silent(f"none of {[kind.__name__ for kind in kinds]}; closed: {self._closed.is_set()}")
        return found

    def _take(self, message: object) -> None:
        with self._changed:
            self._arrived.append(message)
            self._changed.notify_all()


class Promises:
    """Reads what recorders acknowledged, from a named pipe that outlives each of them."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path, 0o600)
        # Open for writing as well, so that it does not end with its first writer.
        self._pipe = os.open(path, os.O_RDWR)
        self._data = bytearray()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, name="promises", daemon=True)
        self._thread.start()

    def all(self) -> Counter[str]:
        """Stop reading; return how often each fragment was acknowledged."""
        os.write(self._pipe, b"end\n")
        self._ended.wait(20)
        os.close(self._pipe)
        return Counter(line for line in self._data.decode().splitlines() if len(line.split()) == 2)

    def _read(self) -> None:
        while not self._data.endswith(b"end\n"):
            self._data += os.read(self._pipe, 1 << 16)
        self._ended.set()


class Trial:
    """One session on ``running``'s server, everything about it decided by ``seed``."""

    def __init__(self, running: Stage, network: Network, folder: Path, footage: tuple[Path, Path], seed: int) -> None:
        self._stage, self._network, self._folder = running, network, folder
        self._draw = random.Random(seed)  # noqa: S311  (seeded, so that a failure can be repeated)
        self.outcome = Outcome(seed=seed)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._home = folder / "home"
        self._home.mkdir(parents=True)
        self._promises = Promises(self._home / ACKNOWLEDGED)
        camera, microphone = footage
        self._options = RecorderOptions(
            home=self._home, sample_camera=camera, sample_microphone=microphone, prefer_samples=True
        )
        self.session = ""

    def run(self, faults: int) -> Outcome:
        """Record until ``faults`` were met or drawn, hand in calmly, and look at what arrived."""
        outcome, link = self.outcome, self._invite()
        shell = Shell(self._options, link)
        before = self._network.met.copy()
        try:
            outcome.lives = shell.start()
            while sum((self._network.met - before).values()) + outcome.faults.total() < faults:
                self._step(shell)
            self._network.calm()
            done = shell.finish()
        finally:
            shell.supervisor.stop(10)
        if not done:
            for folder, saved in unfinished(self._home):
                outcome.faults["sent later"] += 1
                send(folder, saved, SystemClock(), deadline_s=FLUSH_S, even_open=True)
        outcome.faults += self._network.met - before
        self._look(link)
        return outcome

    def _step(self, shell: Shell) -> None:
        """Let it record for a moment, then do the worst."""
        threading.Event().wait(self._draw.uniform(0.3, 3.0))
        match self._draw.choices(("nothing", "kill", "server", "disk"), (5, 1, 2, 2))[0]:
            case "kill":
                self._note("recorder killed")
                shell.kill()
                self.outcome.lives += shell.start()
            case "server":
                self._note("server killed")
                self._stage.kill_server()
                threading.Event().wait(self._draw.uniform(0, 1))
                self._stage.restart_server()
            case "disk":
                self._note("disk full")
                with shell.full_disk():
                    threading.Event().wait(self._draw.uniform(0.2, 1.5))

    def _note(self, what: str) -> None:
        self.outcome.faults[what] += 1

    def _invite(self) -> str:
        """Make an exam of its own, whose server is the network, and return a candidate's link."""
        examiner, institution = self._stage.examiner, self._stage.institution
        exam = f"faults-{self.outcome.seed}"
        policy = replace(
            founding.demonstration_policy(
                server=self._network.url,
                exam_site="http://127.0.0.1:9",
                server_keys=schema.from_json(ServerKeys, examiner.get("server")),
                examiner=self._key,
                seconds=600,
                clock=SystemClock(),
            ),
            exam=exam,
            capture=Capture(
                screen=False, camera_width=160, camera_height=120, camera_fps=5, segment_ms=2_000, live_view=True
            ),
            detection=Detection(objects=False, faces=False, speech=False),
            upload=Upload(heartbeat_ms=1_000),
        )
        _store(examiner, institution, policy)
        link = ExamLink.parse(str(examiner.post(f"exams/{exam}/candidates", {"name": "Ada Example"})["link"]))
        return replace(link, server=self._network.url).url()

    def _look(self, link: str) -> None:
        """Export, verify, decrypt, and compare with what was acknowledged."""
        outcome = self.outcome
        session = next(
            one["session"] for one in self._stage.examiner.get("sessions")["sessions"] if one["exam"] == self._exam()
        )
        export = self._folder / "export.zip"
        self._stage.examiner.download(f"sessions/{session}/export", export)
        found: Counter[str] = Counter()

        def look(record: Record, opened: OpenedSegment | None) -> None:
            if opened is None:
                outcome.unopened.append(segment_name(record))
                return
            pieces = opened.fragments[1:] if record.track in MEDIA_TRACKS else opened.fragments
            found.update(f"{record.track} {sha256(piece).hexdigest()}" for piece in pieces if piece)

        with open_export(export) as archive:
            verdict = verify_session(
                archive.manifest(), archive, pin=ExamLink.parse(link).pin, private_key=self._key, on_segment=look
            )
        outcome.chain = verdict.chain if verdict.complete else f"{verdict.chain}, not complete"
        promised = self._promises.all()
        outcome.acknowledged = promised.total()
        outcome.lost = [line for line in promised if not found[line]]
        outcome.doubled = [line for line, count in found.items() if count > 1]

    def _exam(self) -> str:
        return f"faults-{self.outcome.seed}"


def _store(examiner: founding.ExaminerClient, institution: founding.Institution, policy: Policy) -> None:
    examiner.post("exams", {"policy": jws.sign(policy, institution.policy_key, typ=POLICY_TYPE)})


def work(seeds: Iterator[int], faults: int, is_done: Callable[[], bool], take: Callable[[Outcome], None]) -> None:
    """Run one session after another on a server of its own until ``is_done``."""
    with tempfile.TemporaryDirectory(prefix="fairlock-faults-") as name:
        folder = Path(name)
        footage = write_camera(folder / "camera.avi"), write_microphone(folder / "microphone.wav")
        with stage(folder) as running:
            while not is_done():
                seed = next(seeds)
                with Network(running.port, seed=seed, share=SHARE).running() as network:
                    take(Trial(running, network, folder / str(seed), footage, seed).run(faults))


def run(n: int, *, seed: int, workers: int, faults: int, say: Callable[[str], None]) -> list[Outcome]:
    """Inject at least ``n`` faults in sessions of ``faults`` each; return what came of every session."""
    outcomes: list[Outcome] = []
    lock = threading.Lock()
    seeds = _Seeds(seed)

    def met() -> int:
        return sum(outcome.faults.total() for outcome in outcomes)

    def take(outcome: Outcome) -> None:
        with lock:
            outcomes.append(outcome)
            say(
                f"seed {outcome.seed}: {'good' if outcome.is_good else 'BAD'}  faults {outcome.faults.total()}  "
                f"lives {outcome.lives}  fragments {outcome.acknowledged}  lost {len(outcome.lost)}  "
                f"doubled {len(outcome.doubled)}  chain {outcome.chain}  ({met()} of {n})"
            )

    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(work, seeds, faults, lambda: met() >= n, take) for _ in range(workers)]
        for job in jobs:
            job.result()
    return outcomes


class _Seeds(Iterator[int]):
    """Numbers from ``first`` on, shared by threads."""

    def __init__(self, first: int) -> None:
        self._next, self._lock = first, threading.Lock()

    def __next__(self) -> int:
        with self._lock:
            self._next += 1
            return self._next - 1


def table(outcomes: list[Outcome]) -> str:
    """Return how often each fault was met, and the sums."""
    met: Counter[str] = Counter()
    for outcome in outcomes:
        met += outcome.faults
    rows = [f"{kind:<20} {count:>6}" for kind, count in sorted(met.items())]
    sums = {
        "faults": met.total(),
        "sessions": len(outcomes),
        "recorder lives": sum(one.lives for one in outcomes),
        "fragments promised": sum(one.acknowledged for one in outcomes),
        "lost": sum(len(one.lost) for one in outcomes),
        "doubled": sum(len(one.doubled) for one in outcomes),
        "chains not intact": sum(one.chain != "intact" for one in outcomes),
    }
    return "\n".join([*rows, "", *(f"{name:<20} {count:>6}" for name, count in sums.items())])


def main() -> int:
    """Run from the command line; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="tests.faults.evidence", description=__doc__.partition("\n")[0])
    parser.add_argument("-n", type=int, default=1_000, help="faults to inject (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--faults", type=int, default=40, help="faults in one session (default: %(default)s)")
    given = parser.parse_args()
    outcomes = run(
        given.n,
        seed=given.seed,
        workers=given.workers,
        faults=given.faults,
        say=lambda line: print(line, flush=True),
    )
    print(table(outcomes))
    return 0 if outcomes and all(one.is_good for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
