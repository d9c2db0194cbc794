"""How good each track is to be, as the policy says, and the steps by which that may be lowered. Pure data and sums.

Read by the threads that make encoders. Never decides when to lower anything (``capture.pressure`` does).
"""

from dataclasses import dataclass, replace

from app.contract.policy import Capture

_LADDER_PERMILLE = (1_000, 700, 500, 350)
"""What is left of bits and pictures on each step. Fewer pictures are what a starved processor feels most."""
LOWEST = len(_LADDER_PERMILLE) - 1
"""The last step: a third of the pictures, and still a face and readable text."""

_LEAST_KBPS = 50
_LEAST_SCREEN_QUALITY = 10
_LEAST_CAMERA_FPS = 5
_SCREEN_STEP = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What encoders aim at: the camera in kbit/s, the screen from 1 to 100, the microphone in kbit/s."""

    camera_kbps: int = 300
    camera_fps: int = 15
    screen_quality: int = 60
    screen_fps: int = 5
    microphone_kbps: int = 24

    @classmethod
    def wanted(cls, capture: Capture) -> "Quality":
        """Return what the policy wants."""
        return cls(
            camera_kbps=capture.camera_kbps,
            camera_fps=capture.camera_fps,
            screen_quality=capture.screen_quality,
            screen_fps=capture.screen_fps,
            microphone_kbps=capture.microphone_kbps,
        )

    def lowered(self, step: int) -> "Quality":
        """Return what is left on ``step`` (0: all of it; ``LOWEST``: least). Sound is too small to be worth it."""
        permille = _LADDER_PERMILLE[max(0, min(step, LOWEST))]
        return replace(
            self,
            camera_kbps=max(min(self.camera_kbps, _LEAST_KBPS), self.camera_kbps * permille // 1000),
            camera_fps=max(min(self.camera_fps, _LEAST_CAMERA_FPS), round(self.camera_fps * permille / 1000)),
            screen_quality=max(
                min(self.screen_quality, _LEAST_SCREEN_QUALITY), self.screen_quality - _SCREEN_STEP * step
            ),
            screen_fps=max(1, round(self.screen_fps * permille / 1000)),
        )

    def described(self) -> str:
        """Return it in short words for the journal."""
        return (
            f"camera {self.camera_kbps} kbit/s at {self.camera_fps}/s, "
            f"screen quality {self.screen_quality} at {self.screen_fps}/s"
        )


STANDARD = Quality()
"""What a policy wants that says nothing of it."""
