"""Which camera, microphone and screen this session records: devices, or sample footage in a demonstration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.contract.errors import UserFacing
from app.contract.incidents import Track
from app.contract.policy import Capture, Policy
from app.contract.times import Clock
from app.messages import DevicesOf
from app.recorder.options import RecorderOptions
from capture.camera import DeviceCamera, list_cameras
from capture.microphone import DeviceMicrophone, list_microphones
from capture.playback import PlaybackCamera, PlaybackMicrophone
from capture.screen import open_screen
from capture.sources import AudioSource, Origin, VideoSource


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


Picked = Mapping[Track, str]
"""Names of the devices that the candidate picked; of the others the system's first is taken."""


def choose(policy: Policy, options: RecorderOptions, clock: Clock, picked: Picked = MappingProxyType({})) -> Sources:
    """Choose the sources. Sample footage stands in only in what the signed policy calls a demonstration."""
    capture = policy.capture
    if not policy.demonstration:
        options = replace(options, sample_camera=None, sample_microphone=None)
    return Sources(
        camera=_camera(capture, options, clock, picked.get(Track.CAMERA, 0)) if capture.camera else None,
        screen=open_screen(capture.screen_fps, clock) if capture.screen else None,
        microphone=_microphone(options, clock, picked.get(Track.MICROPHONE)) if capture.microphone else None,
    )


def devices(sources: Sources) -> tuple[DevicesOf, ...]:
    """Return what there is to pick from, for the camera and the microphone that this session records.

    No microphone may be open.
    """
    found = []
    if sources.camera is not None:
        found.append(_devices_of(sources.camera, [info.name for info in list_cameras()]))
    if sources.microphone is not None:
        found.append(_devices_of(sources.microphone, [info.name for info in list_microphones()]))
    return tuple(found)


def _devices_of(source: VideoSource | AudioSource, names: Sequence[str]) -> DevicesOf:
    is_sample = source.origin is Origin.SAMPLE
    listed = (source.name,) if is_sample else tuple(names)
    return DevicesOf(track=source.track, names=listed, picked=source.name, is_sample=is_sample)


def _camera(capture: Capture, options: RecorderOptions, clock: Clock, wanted: int | str) -> VideoSource:
    size = (capture.camera_width, capture.camera_height)
    if options.sample_camera is not None and (options.prefer_samples or not list_cameras()):
        return PlaybackCamera(options.sample_camera, *size, capture.camera_fps, clock)
    return DeviceCamera(wanted, *size, capture.camera_fps, clock)


def _microphone(options: RecorderOptions, clock: Clock, wanted: str | None) -> AudioSource:
    device = DeviceMicrophone(clock, wanted)
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
