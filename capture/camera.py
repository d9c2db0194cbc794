"""The real camera, through OpenCV. Read by the camera's reader thread; never scales time, never invents a picture."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from app.contract.incidents import Track
from app.contract.times import Clock
from capture import refusals
from capture.device_names import distinct
from capture.frames import Frame
from capture.pictures import fit
from capture.sources import Origin, SourceLost

_SYSFS = Path("/sys/class")
_PROBED = 4

# OpenCV waits ten seconds for a picture of an unplugged camera otherwise; it asks when the first camera is opened.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraInfo:
    """A camera that the system has. ``name`` is its own among those listed together."""

    index: int
    name: str


def list_cameras(sysfs: Path = _SYSFS) -> Sequence[CameraInfo]:
    """Return the cameras by index.

    Linux lists them with their names without opening any, a camera's further files left out (they give no pictures);
    elsewhere OpenCV can only try the first few.
    """
    if sysfs.is_dir():
        nodes = sorted(sysfs.glob("video4linux/video*"), key=lambda node: int(node.name[5:]))
        first = [node for node in nodes if _text(node / "index") in ("", "0")]
        names = distinct([_text(node / "name") or node.name for node in first])
        return [CameraInfo(index=int(node.name[5:]), name=name) for node, name in zip(first, names, strict=True)]
    found = []
    for index in range(_PROBED):
        device = cv2.VideoCapture(index)
        if device.isOpened():
            found.append(CameraInfo(index=index, name=f"Camera {index}"))
        device.release()
    return found


class CaptureDevice(Protocol):
    """What is used of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool:  # noqa: N802  (OpenCV's name)
        """Say whether the device was opened."""
        ...

    def set(self, propId: int, value: float) -> bool:  # noqa: N803  (OpenCV's name)
        """Ask for a property."""
        ...

    def grab(self) -> bool:
        """Wait for the next picture without decoding it."""
        ...

    def retrieve(self) -> tuple[bool, np.ndarray[Any, Any]]:
        """Decode the picture that was grabbed."""
        ...

    def release(self) -> None:
        """Let go of the device."""
        ...


def _connect(index: int) -> CaptureDevice:
    return cv2.VideoCapture(index)


class DeviceCamera:
    """A camera as a source, at ``fps`` pictures a second of exactly ``width``×``height``.

    A picture of another shape is fitted with black bars; pictures beyond the rate are skipped undecoded.
    ``connect`` opens a camera by index; tests hand in one that opens a network stream.
    """

    track = Track.CAMERA
    origin = Origin.DEVICE

    def __init__(
        self,
        camera: int | str,
        width: int,
        height: int,
        fps: int,
        clock: Clock,
        *,
        connect: Callable[[int], CaptureDevice] = _connect,
        cameras: Callable[[], Sequence[CameraInfo]] = list_cameras,
    ) -> None:
        self.name = f"camera {camera}"
        self.width, self.height = width, height
        self._wanted, self._fps, self._clock = camera, fps, clock
        self._connect, self._cameras = connect, cameras
        self._device: CaptureDevice | None = None
        self._seq = 0
        self._last_ns: int | None = None

    def open(self) -> None:
        """Open the camera and take one picture; raises ``UserFacing`` (E-CAMERA-NONE, E-CAMERA-BUSY)."""
        self.close()
        info = self._find()
        self.name = info.name
        device = self._connect(info.index)
        # Motion JPEG, because many cameras give 640×480 at full rate only so over USB 2.
        device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        device.set(cv2.CAP_PROP_FRAME_WIDTH, self.width)
        device.set(cv2.CAP_PROP_FRAME_HEIGHT, self.height)
        device.set(cv2.CAP_PROP_FPS, self._fps)
        device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if not device.isOpened() or not device.grab():
            device.release()
            raise refusals.camera_busy(info.name)
        self._device, self._last_ns = device, None

    def read(self) -> Frame:
        """Return the next picture that is due."""
        if self._device is None:
            raise SourceLost("the camera is not open")
        while True:
            if not self._device.grab():
                raise SourceLost(f"the camera “{self.name}” stopped")
            at = self._clock.now()
            # Three quarters of a period, so that a camera's own jitter at the wanted rate skips nothing.
            if self._last_ns is None or at.mono_ns - self._last_ns >= 0.75e9 / self._fps:
                break
        whole, picture = self._device.retrieve()
        if not whole:
            raise SourceLost(f"the camera “{self.name}” sent a broken picture")
        self._last_ns = at.mono_ns
        image = fit(picture.astype("uint8", copy=False), self.width, self.height)
        image.flags.writeable = False
        frame = Frame(source=self.track, seq=self._seq, at=at, image=image)
        self._seq += 1
        return frame

    def close(self) -> None:
        """Release the camera."""
        if self._device is not None:
            self._device.release()
            self._device = None

    def _find(self) -> CameraInfo:
        cameras = self._cameras()
        if not cameras:
            raise refusals.no_camera()
        wanted = [camera for camera in cameras if self._wanted in (camera.index, camera.name)]
        return wanted[0] if wanted else cameras[0]


def _text(path: Path) -> str:
    """Return what a file of the system says; the kernel cuts names after 31 bytes, within a character too."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
