"""Encoder settings per codec, as measured to be cheap and good enough on a laptop's single core. Data and sums.

One thread everywhere: a second one raises the cost more than it helps. No B frames and no look-ahead, so that each
picture comes out at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.contract.incidents import Track
from app.contract.policy import Codec
from capture.quality import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoSettings:
    """What libavcodec is told: encoder's name, target in bit/s (0: by quality alone) and private options."""

    encoder: str
    bit_rate: int
    options: Mapping[str, str]


# ``speed`` is libvpx' cpu-used under its old name, which FFmpeg lets be 9 (``cpu-used`` ends at 8): a tenth to a fifth
# less work at the same bits and PSNR. Tiles are for more threads than one, and cost bits.
_VP9 = {"deadline": "realtime", "speed": "9", "lag-in-frames": "0", "tile-columns": "0"}
# Stitchable: what the decoder is told first does not depend on the rate, which may change during a session.
_H264 = {
    "preset": "superfast",
    "profile": "baseline",
    "tune": "zerolatency",
    "sc_threshold": "0",
    "x264-params": "stitchable=1",
}
_AV1 = {"preset": "12"}
_AV1_PARAMS = "lp=1:rtc=1:pred-struct=1"

_SCREEN_CRF: Mapping[Codec, tuple[int, int, int]] = {
    Codec.VP9: (63, 40, 10),
    Codec.H264: (40, 26, 14),
    Codec.AV1: (63, 40, 10),
}
"""Constant rate factor of each codec at screen quality 1, 60 (measured to keep text readable) and 100."""
_MIDDLE = 60

FRAGMENT_MS: Mapping[Track, int] = {Track.CAMERA: 250, Track.SCREEN: 1_000, Track.MICROPHONE: 500}
"""Longest fragment of each track: what live viewing lags, and what a crash can cost."""

# Complexity 5 of 10, as WebRTC takes on phones: three tenths less work than 10, at the same bits.
OPUS_OPTIONS: Mapping[str, str] = {"application": "voip", "frame_duration": "20", "compression_level": "5"}


def video_settings(track: Track, codec: Codec, quality: Quality) -> VideoSettings:
    """Return the settings of a track's codec: the camera by bits a second, the screen by quality alone."""
    if track is Track.SCREEN:
        return _screen(codec, screen_crf(codec, quality.screen_quality))
    return _camera(codec, quality.camera_kbps * 1000)


def screen_crf(codec: Codec, quality: int) -> int:
    """Return the constant rate factor for a screen quality of 1 to 100, on two straight lines through the middle."""
    worst, middle, best = _SCREEN_CRF[codec]
    if quality < _MIDDLE:
        return round(worst + (middle - worst) * (quality - 1) / (_MIDDLE - 1))
    return round(middle + (best - middle) * (quality - _MIDDLE) / (100 - _MIDDLE))


def _camera(codec: Codec, bit_rate: int) -> VideoSettings:
    if codec is Codec.VP9:
        return VideoSettings(encoder="libvpx-vp9", bit_rate=bit_rate, options=_VP9)
    if codec is Codec.H264:
        return VideoSettings(encoder="libx264", bit_rate=bit_rate, options=_H264)
    return VideoSettings(
        encoder="libsvtav1", bit_rate=bit_rate, options={**_AV1, "svtav1-params": f"{_AV1_PARAMS}:rc=2"}
    )


def _screen(codec: Codec, crf: int) -> VideoSettings:
    if codec is Codec.VP9:
        options = {**_VP9, "tune-content": "screen", "crf": str(crf)}
        return VideoSettings(encoder="libvpx-vp9", bit_rate=0, options=options)
    if codec is Codec.H264:
        return VideoSettings(encoder="libx264", bit_rate=0, options={**_H264, "crf": str(crf)})
    options = {**_AV1, "crf": str(crf), "svtav1-params": f"{_AV1_PARAMS}:scm=1"}
    return VideoSettings(encoder="libsvtav1", bit_rate=0, options=options)
