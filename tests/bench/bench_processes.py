"""The watch of programs: a look at 200 programs, how soon a new one is found and closed, and what watching costs.

Real programs and the parts that the guard uses; the peer is ``psutil.process_iter`` reading the same things. Times are
the best of several for what only this process does, and median and worst for what depends on when it happens.
"""

import resource
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from app.clock import SystemClock
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability, Lockdown
from app.guard.hashing import HashesLater
from app.guard.programs import Closer, ExamPrograms
from app.guard.watching import WatchThread
from lockdown import select
from lockdown.births import Births, Polling
from lockdown.capabilities import Completed, Finding
from lockdown.linux_programs.births import NewPrograms
from lockdown.processes import ProcessTable
from lockdown.rule_lists import builtin_rules, with_policy
from lockdown.rules import Rules
from lockdown.watch import POLL_S, Copies, NoCopies, ProcessScanner
from tests.bench.table import Row
from tests.unit.programs_on_disk import SLEEP, copy

PROGRAMS = 200
REPEATS = 7
NEW_ONES = 50
WATCHED_S = 20.0
DEADLINE_S = 5.0
DECOY = "krdc"
NOBODY = 1 << 30  # no process of this id: nothing here is part of the application


def run() -> list[Row]:
    """Measure looking, finding and closing, and watching."""
    rules = _only_the_decoy()
    table = select.process_table(_runs_nothing)
    with _crowd():
        rows = [*_look(table), _installed()]
        for name, births in _births():
            rows += _find_and_close(name, births, table, rules)
        for name, births in _births():
            rows += _watch(name, births, table, rules)
    return rows


def _runs_nothing(command: Sequence[str], *, timeout_s: float = 0.0) -> Completed:
    raise NotImplementedError(command)


def _only_the_decoy() -> Rules:
    """Nothing else on this machine may be closed."""
    rules = builtin_rules(select.system())
    return with_policy(rules, Lockdown(permit=tuple(sorted(rules.names - {DECOY}))))


def _births() -> Iterator[tuple[str, Births]]:
    if select.system() != "linux":
        yield "polling", Polling()
        return
    events = NewPrograms()
    if events.tells_all:
        yield "events", events
    else:
        events.close()
    yield "polling", NewPrograms(events=False)


@contextmanager
def _crowd() -> Iterator[None]:
    crowd = [subprocess.Popen([SLEEP, "600"]) for _ in range(PROGRAMS)]
    try:
        yield
    finally:
        for process in crowd:
            process.kill()
            process.wait()


def _look(table: ProcessTable) -> Iterator[Row]:
    """The first look judges everybody by the full lists, the later ones find that nothing changed."""
    rules, copies = builtin_rules(select.system()), _copies()
    count = len(table.pids())
    first, later, theirs = [], [], []
    for _ in range(REPEATS):
        scanner = ProcessScanner(table, rules, SystemClock(), own_root=NOBODY, copies=copies)
        first.append(_timed(scanner.find_all))
        later.append(_timed(scanner.find_all))
        theirs.append(_timed(_as_psutil_does))
    for name, ours, goal in (("first", first, "≤ 50"), ("later", later, "")):
        value, peer = min(ours) * PROGRAMS / count, min(theirs) * PROGRAMS / count
        yield Row(f"processes, {name} look at {PROGRAMS}", value, "ms", peer, None, goal)
        yield Row(f"processes, {name} look against psutil", value, "ms", peer, value / peer, "")


def _as_psutil_does() -> list[psutil.Process]:
    return list(psutil.process_iter(["name", "exe", "ppid", "username", "create_time"]))


def _copies() -> Copies:
    return select.copies(builtin_rules(select.system())) if select.system() == "linux" else NoCopies()


def _installed() -> Row:
    return Row(
        "processes, search for installed ones", min(_timed(_copies) for _ in range(3)), "ms", None, None, "≤ 1000"
    )


class _Exam:
    """The guard's watch and closer, with what they told and when (seconds of ``time.monotonic``)."""

    def __init__(self, births: Births, table: ProcessTable, rules: Rules) -> None:
        self.told: dict[tuple[IncidentKind, str], float] = {}
        self._news = threading.Event()
        clock, hashes = SystemClock(), HashesLater(table)
        self.closer = Closer(table, clock, self.tell, grace_s=2.0, ask_windows=lambda _program: False)
        scanner = ProcessScanner(table, rules, clock, own_root=NOBODY, copies=NoCopies(), births=births, hashes=hashes)
        programs = ExamPrograms(scanner, table, births, hashes, self.tell, self.closer.offer)
        self.thread = WatchThread(programs, Capability.PROCESS_WATCH, self.tell, period_s=POLL_S)

    def tell(self, finding: Finding, _capability: Capability) -> None:
        self.told[finding.kind, finding.facts.get("pid", "")] = time.monotonic()
        self._news.set()

    def when(self, kind: IncidentKind, pid: int) -> float:
        """Wait until it was told, and return when."""
        deadline = time.monotonic() + DEADLINE_S
        while (kind, str(pid)) not in self.told:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{kind} of {pid} was not told within {DEADLINE_S:g} s")
            self._news.wait(0.05)
            self._news.clear()
        return self.told[kind, str(pid)]

    def __enter__(self) -> "_Exam":
        self.closer.start()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.stop()
        self.thread.join()
        self.closer.stop()


def _find_and_close(name: str, births: Births, table: ProcessTable, rules: Rules) -> list[Row]:
    found, closed = [], []
    with tempfile.TemporaryDirectory() as folder, _Exam(births, table, rules) as exam:
        decoy = copy(SLEEP, Path(folder) / DECOY)
        time.sleep(1.0)
        for number in range(NEW_ONES):
            time.sleep(0.05 + number % 10 / 40)  # at every moment between two polls
            start = time.monotonic()
            with subprocess.Popen([decoy, "600"]) as process:
                found.append((exam.when(IncidentKind.PROCESS_FOUND, process.pid) - start) * 1000)
                closed.append((exam.when(IncidentKind.PROCESS_CLOSED, process.pid) - start) * 1000)
    return [
        Row(f"processes, new one found by {name}, median", statistics.median(found), "ms", None, None, ""),
        Row(f"processes, new one found by {name}, worst of {NEW_ONES}", max(found), "ms", None, None, "≤ 500"),
        Row(f"processes, new one closed by {name}, median", statistics.median(closed), "ms", None, None, ""),
        Row(f"processes, new one closed by {name}, worst of {NEW_ONES}", max(closed), "ms", None, None, ""),
    ]


def _watch(name: str, births: Births, table: ProcessTable, rules: Rules) -> list[Row]:
    """CPU time of this process, in which nothing but the watch runs, and what else started on the machine meanwhile."""
    with _Exam(births, table, rules):
        time.sleep(2.0)
        before, started, start = _cpu_s(), _started(), time.monotonic()
        time.sleep(WATCHED_S)
        took_s = time.monotonic() - start
        percent, others = 100 * (_cpu_s() - before) / took_s, (_started() - started) / took_s
    return [
        Row(f"processes, watch of {PROGRAMS} by {name}", percent, "% of a core", None, None, "≤ 0.5"),
        Row(f"processes, started by others during that ({name})", others, "per s", None, None, ""),
    ]


def _started() -> int:
    """Return how many processes and threads were ever started, where the system counts them."""
    statistics_file = Path("/proc/stat")
    lines = statistics_file.read_text().splitlines() if statistics_file.exists() else ()
    return next((int(line.split()[1]) for line in lines if line.startswith("processes ")), 0)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _timed(call: object) -> float:
    assert callable(call)
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000
