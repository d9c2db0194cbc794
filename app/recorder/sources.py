"""Which camera, microphone and screen this session records: devices, or sample footage in a demonstration."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.contract.errors import UserFacing
from app.contract.policy import Capture, Policy
from app.contract.times import Clock
from app.recorder.options import RecorderOptions
from capture.camera import DeviceCamera, list_cameras
from capture.microphone import DeviceMicrophone
from capture.playback import PlaybackCamera, PlaybackMicrophone
from capture.screen import open_screen
from capture.sources import AudioSource, VideoSource


@dataclass(slots=True, kw_only=True)
class Sources:
    """The sources of a session, each only there if the policy wants its track. Not yet opened."""

    camera: VideoSource | None = None
    screen: VideoSource | None = None
    microphone: AudioSource | None = None

    def __iter__(self) -> Iterator[VideoSource | AudioSource]:
        return iter([s for s in (self.camera, self.screen, self.microphone) if s is not None])

    def origins(self) -> dict[str, str]:
        """Return camera, microphone and screen as "device", "sample" or "off"."""
        named = {"camera": self.camera, "microphone": self.microphone, "screen": self.screen}
        return {name: source.origin.value if source else "off" for name, source in named.items()}


def choose(policy: Policy, options: RecorderOptions, clock: Clock) -> Sources:
    """Choose the sources. Sample footage stands in only in what the signed policy calls a demonstration."""
    capture = policy.capture
    if not policy.demonstration:
        options = replace(options, sample_camera=None, sample_microphone=None)
    return Sources(
        camera=_camera(capture, options, clock) if capture.camera else None,
        screen=open_screen(capture.screen_fps, clock) if capture.screen else None,
        microphone=_microphone(options, clock) if capture.microphone else None,
    )


def _camera(capture: Capture, options: RecorderOptions, clock: Clock) -> VideoSource:
    size = (capture.camera_width, capture.camera_height)
    if options.sample_camera is not None and (options.prefer_samples or not list_cameras()):
        return PlaybackCamera(options.sample_camera, *size, capture.camera_fps, clock)
    return DeviceCamera(0, *size, capture.camera_fps, clock)


def _microphone(options: RecorderOptions, clock: Clock) -> AudioSource:
    device = DeviceMicrophone(clock)
    if options.sample_microphone is None:
        return device
    if options.prefer_samples or not _opens(device):
        return PlaybackMicrophone(options.sample_microphone, clock)
    return device


def _opens(source: AudioSource) -> bool:
    try:
        source.open()
    except UserFacing:
        return False
    source.close()
    return True
