"""What camera and microphone yield before the exam, for the candidate's own eyes: small pictures and a level.

Owns the threads ``preview-camera`` and ``preview-microphone``, a few messages a second, from the checks until the
recording starts. Nothing of it is kept, written or sent anywhere but to the application's own window.
"""

import threading
from collections.abc import Callable

from app.contract.errors import FairlockError
from app.contract.times import Clock, Instant
from app.messages import Preview
from app.recorder.sources import Sources
from capture.health import level_dbfs
from capture.sources import AudioSource, VideoSource
from capture.stills import thumbnail

PICTURE_EVERY_S = 0.25
LEVEL_EVERY_S = 0.2
RETRY_S = 1.0
WIDTH = 320


class Previews:
    """``send`` gets a ``Preview`` now and then; it is called from both threads."""

    def __init__(self, send: Callable[[Preview], object], clock: Clock) -> None:
        self._send, self._clock = send, clock
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, sources: Sources) -> None:
        """Show these sources, which nobody else has open."""
        self.stop()
        self._stopping = stopping = threading.Event()
        for source, show in ((sources.camera, self._pictures), (sources.microphone, self._levels)):
            if source is not None:
                thread = threading.Thread(
                    target=self._run, args=(source, show, stopping), name=f"preview-{source.track}", daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        """Let go of the sources; returns when they are closed."""
        self._stopping.set()
        while self._threads:
            self._threads.pop().join()

    def _run(self, source: VideoSource | AudioSource, show: Callable[..., None], stopping: threading.Event) -> None:
        """Show until stopped. A device that fails is tried again; what is wrong with it, the checks have said."""
        while not stopping.is_set():
            try:
                source.open()
                show(source, stopping)
            except (FairlockError, OSError):
                stopping.wait(RETRY_S)
            finally:
                source.close()

    def _pictures(self, source: VideoSource, stopping: threading.Event) -> None:
        shown: Instant | None = None
        while not stopping.is_set():
            frame = source.read()
            if shown is None or frame.at.seconds_since(shown) >= PICTURE_EVERY_S:
                shown = frame.at
                self._send(Preview(picture=thumbnail(frame.image, WIDTH)))

    def _levels(self, source: AudioSource, stopping: threading.Event) -> None:
        told, loudest = self._clock.now(), -120.0
        while not stopping.is_set():
            chunk = source.read()
            loudest = max(loudest, level_dbfs(chunk))
            if chunk.at.seconds_since(told) >= LEVEL_EVERY_S:
                self._send(Preview(level_dbfs=round(loudest)))
                told, loudest = chunk.at, -120.0
