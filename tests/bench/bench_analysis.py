"""The whole analysis at the default policy: its share of a core, memory, cold start, delay, and the page beside it.

Real pictures of a webcam, real speech, the best models at hand, in a process of its own (``analysis_child``). The peer
of the cost is plain ultralytics with the object model alone at the same two looks a second. The page is the product's
tab without a screen, which draws by software: turns with detection running in real time and with it held (SIGSTOP)
follow each other. Needs the shared models and media, as ``bench_detection`` does.
"""

import json
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from app.contract.incidents import IncidentKind
from app.contract.policy import Detection
from tests.bench.bench_detection import MODELS, ROOT, SHARED, Peer
from tests.bench.table import Row
from tests.e2e.hostile.rig import Rig, rig
from tests.e2e.hostile.sites import exam_site
from tests.property.test_detection_delay import scripted, told_after

FILM = SHARED / "media" / "webcam_gaze" / "center_left_center.mp4"
SOUND = SHARED / "media" / "speech" / "silero_test.wav"
PICTURES = 120
SECONDS = 20
ROUNDS = 3
OBJECTS_PER_S = 2
PEER = "the same, and ultralytics looking for objects alone, 2/s"
BEGINNINGS = 40
TURNS = 6
TURN_MS = 4_000

# A page that works a little in each frame, as a quiz with a clock does, and measures how long its own task took; the
# browser itself reports only tasks of more than 50 ms.
METER = """
const tasks = []; const seen = new PerformanceObserver(l => l.getEntries().forEach(e => tasks.push(e.duration)));
seen.observe({type: "longtask"});
let last = performance.now(), gap = 0, longest = 0; const end = last + %d;
await new Promise(done => { const step = now => {
    gap = Math.max(gap, now - last); last = now;
    const began = performance.now(); let n = 0; for (; n < 200000; n += 1) Math.sqrt(n);
    document.title = String(n); longest = Math.max(longest, performance.now() - began);
    now < end ? requestAnimationFrame(step) : done(); }; requestAnimationFrame(step); });
seen.disconnect();
return [longest, tasks.reduce((a, b) => a + b, 0), gap];
"""


def run() -> list[Row]:
    """Measure; a single row says so where models or media are not at hand."""
    if not MODELS.is_dir() or not FILM.exists():
        return [Row("analysis: the shared models and media are not beside this checkout", 0, "", None, None, "")]
    with tempfile.TemporaryDirectory() as folder:
        pictures = _cut(Path(folder))
        with Peer({path.stem: np.asarray(cv2.imread(str(path)), np.uint8) for path in pictures[:20]}) as peer:
            rows = _cost(Path(folder), pictures, peer if peer.is_there else None)
        return [*rows, *_delays(), *_page(Path(folder))]


def _cut(folder: Path) -> list[Path]:
    """Write a webcam's pictures of eight seconds, 640×480."""
    film, paths = cv2.VideoCapture(str(FILM)), []
    for number in range(PICTURES):
        film.set(cv2.CAP_PROP_POS_MSEC, number / 15 * 1000)
        there, image = film.read()
        if not there:
            break
        height, width = image.shape[0], image.shape[1]
        middle = image[(height - width * 3 // 4) // 2 :][: width * 3 // 4]
        paths.append(folder / f"{number:03}.jpg")
        cv2.imwrite(str(paths[-1]), cv2.resize(middle, (640, 480)))
    return paths


def _cost(folder: Path, pictures: list[Path], peer: Peer | None) -> list[Row]:
    """We and the peer take turns."""
    measured, theirs = [], []
    for _ in range(ROUNDS):
        done = subprocess.run(
            _command(folder, "cost", str(SECONDS)), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        measured.append(json.loads(done.stdout))
        if peer is not None:
            theirs += [peer.look(path.stem)[1] for path in pictures[:20]]

    def least(key: str) -> float:
        return float(min(one[key] for one in measured))

    core, looks = least("core"), measured[0]["looks"]
    peer_core = statistics.median(theirs) * OBJECTS_PER_S / 1e3 if theirs else None
    ratio = round(peer_core / core, 2) if peer_core else None
    peers = [Row(f"analysis: {PEER}", round(core, 3), "of a core", peer_core, ratio, "")] if peer_core else []
    often = ", ".join(f"{name} {looks[name] / SECONDS:.1f}/s" for name in ("objects", "faces"))
    return [
        Row(f"analysis: {often}, speech always", round(core, 3), "of a core", None, None, "≤ 0.12"),
        *peers,
        Row("analysis: most memory", round(least("mb"), 1), "MB", None, None, "≤ 220"),
        Row("analysis: cold start of all models", round(least("cold_s"), 2), "s", None, None, "≤ 1"),
        Row("analysis: cold start of all models, CPU", round(least("cold_cpu_s"), 2), "s", None, None, ""),
    ]


def _delays() -> list[Row]:
    """How long after their least duration incidents are told, by the times on the frames; the worst beginning."""
    policy = Detection()
    least = dict.fromkeys((IncidentKind.PHONE, IncidentKind.OBJECT_IN_HAND), policy.object_ms)
    least |= {IncidentKind.SECOND_PERSON: policy.person_ms, IncidentKind.ABSENT: policy.absent_ms}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        card = scripted(Path(folder))
        for kind, least_ms in least.items():
            told = [told_after(kind, 2 + number / BEGINNINGS, 15, number, card) for number in range(BEGINNINGS)]
            name = f"analysis: {kind.value.replace('_', ' ')} told after its least duration"
            rows.append(Row(name, round(max(told) - least_ms / 1000, 2), "s", None, None, "≤ 1"))
    return rows


def _command(folder: Path, *how: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.analysis_child", str(MODELS), str(folder), str(SOUND), *how]


def _page(folder: Path) -> list[Row]:
    """The page with detection and without, in turns; medians of the turns."""
    turns: dict[bool, list[list[float]]] = {True: [], False: []}
    with exam_site() as site, rig(site) as tab, _detection(folder) as hold:
        tab.home()
        _turn(tab)
        for number in range(2 * TURNS):
            detecting = number % 2 == 0
            hold(not detecting)
            turns[detecting].append(_turn(tab))
    rows = []
    for index, (what, unit) in enumerate([("longest task", "ms"), ("all long tasks", "ms"), ("longest gap", "ms")]):
        beside, alone = (statistics.median(turn[index] for turn in turns[on]) for on in (True, False))
        name = f"exam page: {what} of {TURN_MS // 1000} s beside detection"
        rows.append(Row(name, round(beside, 1), unit, round(alone, 1), None, ""))
        if index != 1:
            more = max(0.0, round(beside - alone, 1))
            rows.append(Row(f"exam page: {what}, more than without", more, unit, None, None, "≤ 50"))
    return rows


def _turn(tab: Rig) -> list[float]:
    measured: list[float] = tab.wait_js(METER % TURN_MS, 60.0)
    return measured


@contextmanager
def _detection(folder: Path) -> Iterator[Callable[[bool], None]]:
    """Run detection in real time; what is yielded holds it, or lets it go on."""
    child = subprocess.Popen(
        _command(folder, "live"), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "ready"
    try:
        yield lambda held: child.send_signal(signal.SIGSTOP if held else signal.SIGCONT)
    finally:
        child.send_signal(signal.SIGCONT)
        child.communicate(timeout=60)
