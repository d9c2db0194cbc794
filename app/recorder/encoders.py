"""Makes a session's encoders, with the quality that holds at the moment. Called in the tracks' sealing threads.

Never decides which quality that is (``app.recorder.easing`` does) and never encodes.
"""

from app.contract.incidents import Track
from app.contract.policy import Capture
from app.contract.times import Instant
from capture.encoder import AudioEncoder, VideoEncoder
from capture.frames import AudioChunk, Frame
from capture.quality import Quality


class Encoders:
    """``quality`` may be replaced at any time; encoders made from then on have it."""

    def __init__(self, capture: Capture, timeline_origin: Instant) -> None:
        self.quality = Quality.wanted(capture)
        self._capture, self._origin = capture, timeline_origin

    def video(self, track: Track, width: int, height: int, not_before_ms: int = 0) -> VideoEncoder:
        """Return an encoder for pictures of ``width``×``height``."""
        quality, is_screen = self.quality, track is Track.SCREEN
        return VideoEncoder(
            track,
            width=width,
            height=height,
            fps=quality.screen_fps if is_screen else quality.camera_fps,
            codec=self._capture.codec,
            timeline_origin=self._origin,
            segment_ms=self._capture.segment_ms,
            quality=quality,
            variable_rate=is_screen and self._capture.screen_variable_rate,
            not_before_ms=not_before_ms,
        )

    def video_for(self, frame: Frame, not_before_ms: int) -> VideoEncoder:
        """Return an encoder for pictures like ``frame``."""
        height, width = frame.image.shape[:2]
        return self.video(frame.source, width, height, not_before_ms)

    def sound(self) -> AudioEncoder:
        """Return an encoder for the microphone."""
        return AudioEncoder(self._origin, quality=self.quality)

    def sound_for(self, _chunk: AudioChunk, _not_before_ms: int) -> AudioEncoder:
        """Return an encoder for sound like ``_chunk``; it can't begin too early, for it keeps its own even pace."""
        return self.sound()
