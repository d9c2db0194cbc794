"""Encoder settings per codec, as measured to be cheap and good enough on a laptop's single core. Data only.

One thread everywhere: a second one raises the cost more than it helps. No B frames and no look-ahead, so that each
picture comes out at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.contract.incidents import Track
from app.contract.policy import Codec


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoSettings:
    """What libavcodec is told: encoder's name, target in bit/s (0: by quality alone) and private options."""

    encoder: str
    bit_rate: int
    options: Mapping[str, str]


_VP9 = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "row-mt": "1"}
_H264 = {"preset": "superfast", "profile": "baseline", "tune": "zerolatency", "sc_threshold": "0"}

_CAMERA: Mapping[Codec, VideoSettings] = {
    Codec.VP9: VideoSettings(encoder="libvpx-vp9", bit_rate=300_000, options=_VP9),
    Codec.H264: VideoSettings(encoder="libx264", bit_rate=0, options={**_H264, "crf": "26"}),
    Codec.AV1: VideoSettings(
        encoder="libsvtav1",
        bit_rate=0,
        options={"preset": "12", "crf": "40", "svtav1-params": "lp=1:rtc=1:pred-struct=1"},
    ),
}
_SCREEN: Mapping[Codec, VideoSettings] = {
    Codec.VP9: VideoSettings(encoder="libvpx-vp9", bit_rate=0, options={**_VP9, "tune-content": "screen", "crf": "40"}),
    Codec.H264: VideoSettings(encoder="libx264", bit_rate=0, options={**_H264, "crf": "26"}),
    Codec.AV1: VideoSettings(
        encoder="libsvtav1",
        bit_rate=0,
        options={"preset": "12", "crf": "40", "svtav1-params": "lp=1:rtc=1:pred-struct=1:scm=1"},
    ),
}

FRAGMENT_MS: Mapping[Track, int] = {Track.CAMERA: 250, Track.SCREEN: 1_000, Track.MICROPHONE: 500}
"""Longest fragment of each track: what live viewing lags, and what a crash can cost."""

OPUS_BIT_RATE = 24_000
OPUS_OPTIONS: Mapping[str, str] = {"application": "voip", "frame_duration": "20"}


def video_settings(track: Track, codec: Codec) -> VideoSettings:
    """Return the settings of a track's codec."""
    return (_SCREEN if track is Track.SCREEN else _CAMERA)[codec]
