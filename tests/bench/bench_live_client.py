"""What live view costs the client: the same recording with it and without, turn by turn, to a real server.

Camera and microphone as in ``bench_recording``, a made-up screen, through the product's own recording, sealing, upload
and live view; nothing is looked for. Only this process counts. What is sent is counted as requests with their heads,
while it records, by the bytes of evidence that the server has got so: where each piece was sent once, both sides are
about equal. The last segment of each track is closed after live view ended, and is sent again as a file: seconds of an
exam, but a quarter of these twenty.
"""

import os
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import requests

from app.clock import SystemClock
from app.contract.incidents import Track
from app.contract.policy import Capture, Detection
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.joining import join, start_timeline
from app.recorder.options import RecorderOptions
from app.recorder.recording import Recording, RecordingParts
from app.recorder.sources import Sources
from app.recorder.transport import SecureAdapter
from capture.fake import FakeVideo
from capture.sources import Origin
from tests.bench.bench_recording import RawCamera, RawMicrophone
from tests.bench.table import Row
from tests.e2e import server_rig
from tests.e2e.server_rig import Institution

SECONDS = 20
ROUNDS = 2


class Camera(RawCamera):
    """Pictures made before, as a recording wants to know them."""

    track, origin, name = Track.CAMERA, Origin.SAMPLE, "pictures made before"
    width, height = 640, 480


class Microphone(RawMicrophone):
    """Sound made before, as a recording wants to know it."""

    track, origin, name = Track.MICROPHONE, Origin.SAMPLE, "sound made before"


class CountingAdapter(SecureAdapter):
    """Counts the bytes of requests."""

    sent = 0

    def send(self, request: requests.PreparedRequest, *others: Any, **more: Any) -> requests.Response:
        answer = super().send(request, *others, **more)
        self.sent += int(request.headers.get("Content-Length", 0)) + len(request.path_url)
        self.sent += sum(len(name) + len(value) + 4 for name, value in request.headers.items())
        return answer


class CountingClient(ServerClient):
    """Counts the bytes of requests."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._secure: CountingAdapter = CountingAdapter()

    @property
    def sent(self) -> int:
        """Return the bytes sent so far."""
        return self._secure.sent


@dataclass(slots=True)
class Spent:
    """What one side took in all its turns."""

    cpu_s: float = 0.0
    passed_s: float = 0.0
    sent: int = 0
    brought: int = 0


def run() -> list[Row]:
    """Record in turns and compare."""
    without, with_it = Spent(), Spent()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        server_rig.prepare(data)
        with server_rig.running(data) as server, httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http:
            institution = Institution(http)
            institution.sign_in()
            for turn in range(ROUNDS):
                for live_view, spent in ((False, without), (True, with_it)):
                    _record(Path(name) / f"{turn}-{live_view}", institution, server.url, spent, live_view=live_view)
    cpu, peer_cpu = (one.cpu_s / one.passed_s for one in (with_it, without))
    sent, peer_sent = (one.sent / one.brought for one in (with_it, without))
    return [
        _row("recording client: CPU of one core, live view / without", "share", cpu, peer_cpu, "≤ 1.1"),
        _row(
            "recording client: bytes sent by bytes of evidence, live view / without", "times", sent, peer_sent, "≤ 1.1"
        ),
    ]


def _record(home: Path, institution: Institution, url: str, spent: Spent, *, live_view: bool) -> None:
    exam = f"live-{home.name}"
    institution.exam(
        exam, capture=Capture(live_view=live_view), detection=Detection(objects=False, faces=False, speech=False)
    )
    clock, client = SystemClock(), CountingClient(url)
    link = institution.invite(exam)
    joined = start_timeline(join(client, link, program_token=os.urandom(32), home=home, clock=clock), clock)
    screen = FakeVideo(clock, track=Track.SCREEN, width=1280, height=720, fps=5)
    recording = Recording(
        RecordingParts(
            joined=joined,
            client=client,
            sources=Sources(camera=Camera(clock), screen=screen, microphone=Microphone(clock)),
            detection=DetectionChoice(),
            clock=clock,
            options=RecorderOptions(home=home),
        )
    )
    sent, before, began = client.sent, _cpu_s(), time.monotonic()
    recording.start()
    time.sleep(SECONDS)
    spent.sent += client.sent - sent
    spent.brought += recording.spool.totals().received_bytes + (recording.spool.pending_bytes() if live_view else 0)
    recording.stop()
    if not recording.send_rest(60, lambda _sent, _total: None):
        raise RuntimeError("not everything arrived")
    spent.cpu_s += _cpu_s() - before
    spent.passed_s += time.monotonic() - began
    recording.close()
    client.close()


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _row(name: str, unit: str, value: float, peer: float, goal: str) -> Row:
    return Row(
        name=name, value=round(value, 3), unit=unit, peer=round(peer, 3), ratio=round(value / peer, 2), goal=goal
    )
