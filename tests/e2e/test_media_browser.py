"""What encoders yield plays in a browser without a hole: at a variable rate, and where one follows another."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Codec
from capture.encoder import VideoEncoder
from capture.frames import Frame
from capture.pictures import Picture
from capture.quality import STANDARD, Quality
from tests.e2e.chromium import chromium, needs_chromium

pytestmark = needs_chromium

PLAY = """async ([mime, segments, moments]) => {
  const wait = (what, event) => new Promise((done, failed) => {
    what.addEventListener(event, done, {once: true});
    what.addEventListener('error', () => failed(new Error(`${event}: ${what.error?.message}`)), {once: true});
  });
  const video = document.createElement('video');
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await wait(source, 'sourceopen');
  const buffer = source.addSourceBuffer(mime);
  for (const segment of segments) {
    buffer.appendBuffer(Uint8Array.from(atob(segment), (c) => c.charCodeAt(0)));
    await wait(buffer, 'updateend');
  }
  source.endOfStream();
  const ranges = [...Array(video.buffered.length).keys()].map((n) => [video.buffered.start(n), video.buffered.end(n)]);
  const widths = [], greys = [];
  const context = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  for (const moment of moments) {
    const shown = new Promise((done) => video.requestVideoFrameCallback(done));
    video.currentTime = moment;
    await wait(video, 'seeked');
    await shown;
    widths.push(video.videoWidth);
    context.drawImage(video, 0, 0, 1, 1);
    greys.push(context.getImageData(0, 0, 1, 1).data[0]);
  }
  return {ranges, widths, greys};
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with chromium() as started:
        yield started.new_page()


class Reel:
    """Segments as they would lie in the evidence: each with the init bytes of the encoder that wrote it."""

    def __init__(self, codec: Codec, pictures: Picture | None = None) -> None:
        self._codec, self._clock = codec, ManualClock()
        self._origin, self._seq, self._end_ms = self._clock.now(), 0, 0
        noise = np.random.default_rng(2).integers(0, 60, (4, 240, 640, 3), dtype=np.uint8)
        self._pictures = noise if pictures is None else pictures
        self.mime = ""
        self.segments: list[bytes] = []

    def add(self, seconds: int, *, width: int = 320, quality: Quality = STANDARD, variable_rate: bool = False) -> None:
        """Record for some seconds; the picture changes once in seven."""
        encoder = VideoEncoder(
            Track.SCREEN,
            width=width,
            height=240,
            fps=5,
            codec=self._codec,
            timeline_origin=self._origin,
            quality=quality,
            variable_rate=variable_rate,
            not_before_ms=self._end_ms,
        )
        fragments = []
        for number in range(seconds * 5):
            image = self._pictures[self._seq // 7 % 4, :, :width]
            unchanged = number > 0 and self._seq % 7 > 0
            frame = Frame(source=Track.SCREEN, seq=self._seq, at=self._clock.now(), image=image, unchanged=unchanged)
            fragments += encoder.encode(frame)
            self._clock.advance(0.2)
            self._seq += 1
        fragments += encoder.finish()
        self._end_ms = fragments[-1].start_ms + fragments[-1].duration_ms
        self.mime = self.mime or encoder.mime
        for fragment in fragments:
            if fragment.opens_segment:
                self.segments.append(encoder.init)
            self.segments[-1] += fragment.data

    def play(self, page: Any, moments: list[float], *, only: slice = slice(None)) -> dict[str, Any]:
        """Return what a browser made of it: the buffered ranges, and the picture's width and a pixel at each moment."""
        encoded = [base64.b64encode(segment).decode() for segment in self.segments[only]]
        played: dict[str, Any] = page.evaluate(PLAY, [self.mime, encoded, moments])
        return played


@pytest.mark.parametrize("codec", list(Codec))
def test_a_variable_rate_plays_together_and_each_segment_alone(page: Any, codec: Codec) -> None:
    reel = Reel(codec)
    reel.add(15, variable_rate=True)
    assert len(reel.segments) == 3
    together = reel.play(page, [0.1, 4.9, 9.1, 14.7])
    assert together["ranges"] == [pytest.approx([0, 15], abs=0.01)]
    alone = reel.play(page, [5.2, 9.7], only=slice(1, 2))
    assert alone["ranges"] == [pytest.approx([5, 10], abs=0.01)]
    assert together["widths"] + alone["widths"] == [320] * 6


@pytest.mark.parametrize("codec", list(Codec))
def test_another_quality_and_another_size_follow_without_a_hole(page: Any, codec: Codec) -> None:
    reel = Reel(codec)
    reel.add(3)
    reel.add(3, quality=replace(STANDARD, screen_quality=30))
    reel.add(3, width=640)
    played = reel.play(page, [1.0, 4.5, 7.5])
    assert played["ranges"] == [pytest.approx([0, 9], abs=0.01)]
    assert played["widths"] == [320, 320, 640]


@pytest.mark.parametrize("codec", list(Codec))
def test_a_still_picture_stays_and_the_next_one_comes_in_its_time(page: Any, codec: Codec) -> None:
    """Each grey stands for 1.4 s, of which all but the first picture are only said to be the same."""
    greys = (40, 200, 90, 150)
    reel = Reel(codec, pictures=np.stack([np.full((240, 640, 3), grey, np.uint8) for grey in greys]))
    reel.add(12)
    played = reel.play(page, [number * 1.4 + offset for number in range(8) for offset in (0.1, 1.3)])
    assert played["greys"] == [pytest.approx(grey, abs=8) for grey in greys * 2 for _ in range(2)]
