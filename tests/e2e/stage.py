"""The stage of end-to-end tests: a real server, an institution with one exam, small sample footage, a display."""

import json
import secrets
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from app.clock import SystemClock
from app.contract.incidents import Track
from app.demo import institution as founding
from app.demo.examine import Findings, examine
from app.demo.processes import Program, answers, free_port, server_command, wait_until

MEDIA_TRACKS = (Track.CAMERA, Track.SCREEN, Track.MICROPHONE)
"""Tracks whose segments begin with what a decoder needs first."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """A running server and what belongs to it."""

    folder: Path
    port: int
    serving: Program
    examiner: founding.ExaminerClient
    institution: founding.Institution

    @property
    def server(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    def kill_server(self) -> None:
        """Kill it as a power cut would."""
        self.serving._process.kill()
        self.serving.stop()

    def restart_server(self) -> None:
        """Start it again over the same data."""
        self.serving = _serve(self.folder, self.port)

    def findings(self) -> Findings:
        """Export the only session and look at it as an examiner would."""
        session = self.examiner.get("sessions")["sessions"][0]["session"]
        export = self.folder / "export.zip"
        self.examiner.download(f"sessions/{session}/export", export)
        return examine(export, pin=self.institution.pin, private_key=self.institution.examiner_key)


@contextmanager
def stage(folder: Path, *, exam_site: str = "http://127.0.0.1:9", **granted: Any) -> Iterator[Stage]:
    """Set a server up and run it until the block ends."""
    password = secrets.token_urlsafe(9)
    secret = folder / "password"
    secret.write_text(password)
    command: list[str | Path] = [
        *server_command(),
        "init",
        "--data",
        folder / "server",
        "--admin",
        "ada",
        "--password-file",
        secret,
    ]
    with Program("init", command, folder / "init.log") as init:
        assert init.wait(60) == 0, init.tail()
    port = free_port()
    serving = _serve(folder, port)
    server = f"http://127.0.0.1:{port}"
    try:
        examiner = founding.ExaminerClient(server)
        examiner.sign_in("ada", password)
        institution = founding.found(
            examiner, server=server, exam_site=exam_site, password=password, seconds=60, clock=SystemClock(), **granted
        )
        running = Stage(folder=folder, port=port, serving=serving, examiner=examiner, institution=institution)
        try:
            yield running
        finally:
            serving = running.serving
    finally:
        serving.stop()


def _serve(folder: Path, port: int) -> Program:
    command: list[str | Path] = [*server_command(), "serve", "--data", folder / "server", "--port", str(port)]
    program = Program("server", command, folder / "server.log")
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/api/v1/server"), what="The server", program=program)
    return program


def write_camera(path: Path, *, seconds: int = 4, fps: int = 15) -> Path:
    """Write a small moving test picture as MJPEG."""
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 40, (480, 640, 3), dtype=np.uint8)
    with av.open(str(path), "w", format="avi") as out:
        stream = out.add_stream("mjpeg", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        stream.time_base = Fraction(1, fps)
        for number in range(seconds * fps):
            image = np.roll(noise, number * 7, axis=1)
            image[100:300, (number * 5) % 400 : (number * 5) % 400 + 200] += 150
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
    return path


def write_microphone(path: Path, *, seconds: int = 4) -> Path:
    """Write quiet noise as a WAV file."""
    sound = np.random.default_rng(8).integers(-300, 300, seconds * 48_000, dtype=np.int16)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(sound.tobytes())
    return path


def dumped(value: object) -> str:
    """Return a value as text for assertion messages."""
    return json.dumps(value, indent=1, default=str)
