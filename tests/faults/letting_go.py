"""Kills the processes of an exam at each step of locking and unlocking and looks whether the machine is as before.

``python -m tests.faults.letting_go [-n 200] [--seed 7] [--workers 1]`` prints a table: step × who was killed, how
often, and the longest time until everything was as before. Every trial has its own exam; a worker has its own X server.

Most trials play the recorder, which changes nothing; every twentieth has the whole application: a real server, a real
recorder with sample footage. That recorder may go on sending for a while when the others are dead.

What "as before" means for whom. When the shell is among the killed, the exam is over: everything in ``machine.State``
must be as before, within ``GOAL_S`` of the kill. When it lives, the exam goes on (locked again within a moment, if it
was being locked), is then asked to end, and what it changed must be as before within ``GOAL_S`` of the beginning of
unlocking, or of the kill if that came later. When everything dies at once, the last hand too, as in a power cut, the
next start undoes it: the time is that of ``fairlock restore`` from its start.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.messages import EXAM_LOADED
from tests.e2e.stage import stage, write_camera, write_microphone
from tests.faults.exam import LOCKING, ROOT, UNLOCKING, Exam, exam, wait
from tests.faults.machine import Machine, State
from tests.faults.trials import LONGEST_S, Outcome, Restored, Trial, plan, table
from tests.unit.shell_parts import Site, site
from tests.xserver import Desktop, x11_desktop

OF_A_LIVING_SHELL = {"windows", "focus", "processes"}
"""What is there as long as the shell shows its last screens."""


def run(trials: Iterable[Trial], *, workers: int = 1) -> list[Outcome]:
    """Run the trials and return their outcomes in order. Interrupted, it ends those that are under way first."""
    waiting = deque(trials)
    with ThreadPoolExecutor(workers) as pool:
        try:
            done = list(pool.map(lambda _: _work(waiting), range(workers)))
        except BaseException:
            waiting.clear()
            raise
    return sorted((outcome for outcomes in done for outcome in outcomes), key=lambda outcome: outcome.trial.number)


def _work(waiting: "deque[Trial]") -> list[Outcome]:
    outcomes = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="letting-go-")))
        desktop = stack.enter_context(x11_desktop())
        served = stack.enter_context(site())
        while waiting:
            try:
                trial = waiting.popleft()
            except IndexError:
                break  # another worker took the last one
            outcome = _try(trial, desktop, served, folder / f"{trial.number}")
            print(f"{trial} -> {outcome.restored} {outcome.left}", file=sys.stderr, flush=True)
            outcomes.append(outcome)
    return outcomes


def _try(trial: Trial, desktop: Desktop, served: Site, folder: Path) -> Outcome:
    folder.mkdir()
    machine = Machine(desktop, folder / "home")
    try:
        with _parts(trial, served, folder) as (options, page_is_shown):
            before = _settled(machine)
            with exam(desktop, machine, options, page_is_shown) as running:
                restored = _kill_and_wait(trial, desktop, running, before)
    except TimeoutError as error:
        return Outcome(trial=trial, restored=Restored(seconds=LONGEST_S, free_s=LONGEST_S), left=str(error))
    finally:
        machine.close()
    return Outcome(trial=trial, restored=restored)


@contextmanager
def _parts(trial: Trial, served: Site, folder: Path) -> "Iterator[tuple[Mapping[str, str], Callable[[], bool]]]":
    """Yield the options of the exam, and how to see that its page is there."""
    if trial.whole:
        served.seen.clear()
        camera, microphone = write_camera(folder / "camera.avi"), write_microphone(folder / "microphone.wav")
        with stage(folder, exam_site=served.origin) as running:
            samples = {"sample_camera": str(camera), "sample_microphone": str(microphone)}
            yield {"link": running.institution.link, **samples}, lambda: bool(served.seen)
        return
    told = folder / "log.recorder"
    options = {"origin": served.origin, "log": str(folder / "log")}
    yield options, lambda: told.exists() and EXAM_LOADED in told.read_text()


def _kill_and_wait(trial: Trial, desktop: Desktop, running: Exam, before: State) -> Restored:
    """Run one trial."""
    machine = running.machine
    running.know_processes()
    _go_to(trial, running)
    killed = running.kill(trial.victims)
    if "shell" not in trial.victims:
        done = _end_in_order(trial, running, before, killed)
        killed = running.kill(["shell"])
        _wait_until_as_before(machine, before, killed)
        return done
    if "last hand" in trial.victims:
        return _start_next(desktop, running, before)
    running.process.wait()
    machine.spared = running.senders() if trial.whole and "recorder" not in trial.victims else frozenset()
    done = _wait_until_as_before(machine, before, killed)
    machine.spared = frozenset()
    _wait_until_as_before(machine, before, killed)
    return done


def _settled(machine: Machine) -> State:
    """Return the state before, once the window manager has given the bystander's window its place."""
    wait(machine.take_focus, "the bystander's window")
    return machine.state()


def _go_to(trial: Trial, running: Exam) -> None:
    if trial.step in UNLOCKING:
        running.reach(LOCKING[-1])
        running.ask_to_end()
    running.reach(trial.step)
    time.sleep(trial.delay_ms / 1000)


def _end_in_order(trial: Trial, running: Exam, before: State, killed: float) -> Restored:
    """Let the exam go on and end, and wait until what it changed is as before."""
    began = killed
    if trial.step in LOCKING:
        wait(lambda: running.went("running") and running.machine.is_changed(), "the exam to go on")
        running.ask_to_end()
        began = wait(lambda: running.went("unlocking"), "the end")
    return _wait_until_as_before(running.machine, before, began, but=OF_A_LIVING_SHELL)


def _start_next(desktop: Desktop, running: Exam, before: State) -> Restored:
    """Do what is done after a power cut."""
    running.process.wait()
    wait(lambda: not running.machine.processes(), "the processes to be gone")
    began = time.monotonic()
    environment = {**desktop.environment, "FAIRLOCK_HOME": str(running.machine.home)}
    subprocess.run([sys.executable, "-m", "app", "restore"], cwd=ROOT, env=environment, check=True, capture_output=True)
    return _wait_until_as_before(running.machine, before, began)


def _wait_until_as_before(machine: Machine, before: State, since: float, *, but: Iterable[str] = ()) -> Restored:
    """Wait until nothing differs from ``before``; raises ``TimeoutError`` with what still does after ``LONGEST_S``."""
    forgiven, last = set(but), ""
    free: float | None = None
    while left := set(machine.differs(before)) - forgiven:
        now = time.monotonic()
        free = None if left != {"processes"} else free or now
        living = machine.processes().values() if "processes" in left else ()
        last = ", ".join([*sorted(left), *(command[-60:] for command in living)])
        if now - since > LONGEST_S:
            raise TimeoutError(last)
        time.sleep(0.01)
    done = time.monotonic()
    return Restored(seconds=done - since, free_s=(free or done) - since, last=last)


def main() -> int:
    """Run, print the table, return 1 if a machine was not as before in time."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.letting_go")
    parser.add_argument("-n", type=int, default=200, help="how many trials")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=1, help="exams at once; more than one are slower each")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcomes = run(plan(given.n, given.seed), workers=given.workers)
    print(table(outcomes))
    for outcome in outcomes:
        if not outcome.is_good:
            print(f"NOT IN TIME: {outcome}")
    return 0 if all(outcome.is_good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
