"""Pictures and sound to fragments: one encoder per track, one fragment stream for the file and for live viewing.

Runs in the track's sealing thread. An encoder's output has a constant rate on the session's timeline: a picture that
is missing is the last one again, and black after a second, so that nobody looks at a stale face; missing sound is
silence. That something was missing is a ``Gap``, which is not the encoder's to tell. Nothing here touches a file.
"""

import io
from dataclasses import replace
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.packet import Packet
from av.video.frame import PictureType
from numpy.typing import NDArray

from app.contract.incidents import Track
from app.contract.policy import Codec
from app.contract.times import Instant
from capture import fmp4, vp9
from capture.codecs import FRAGMENT_MS, OPUS_OPTIONS, video_settings
from capture.fragments import Cutter, Fragment
from capture.frames import AudioChunk, Frame
from capture.ordinary_time import ordinary_time
from capture.pictures import Picture, black_i420, even, to_i420
from capture.quality import STANDARD, Quality
from capture.sources import AUDIO_CHUNK, AUDIO_RATE
from capture.timeline import to_ms, to_samples

_MUXER = {
    "movflags": "empty_moov+default_base_moof+frag_discont+skip_trailer",
    "use_editlist": "0",
    "video_track_timescale": "1000",
}
Sound = NDArray[np.int16]

_LONGEST_FILL_S = 10
_SOUND_TOLERANCE = AUDIO_RATE // 40


class VideoEncoder:
    """Encodes one video track; ``init`` and ``mime`` are there from the start.

    Pictures must be at least ``width``×``height`` with even sides; a key frame comes every ``segment_ms``. Nothing
    begins before ``not_before_ms`` on the timeline, where the encoder before this one ended. With ``variable_rate`` a
    picture that is the same as the one before is only put once a second, and shown for as long. Where the codec has a
    way to say so such a picture is not encoded again at any rate (``capture.vp9``).
    """

    def __init__(
        self,
        track: Track,
        *,
        width: int,
        height: int,
        fps: int,
        codec: Codec,
        timeline_origin: Instant,
        segment_ms: int = 5_000,
        quality: Quality = STANDARD,
        variable_rate: bool = False,
        not_before_ms: int = 0,
    ) -> None:
        self.track, self.width, self.height = track, even(width), even(height)
        self._fps, self._origin, self._codec, self._quality = fps, timeline_origin, codec, quality
        self._not_before_ms, self._is_variable = not_before_ms, variable_rate
        self._gop = -(-segment_ms * fps // 1000)
        self._output, self._stream, self.init = self._open_stream()
        self.mime = f'video/mp4; codecs="{fmp4.codecs(self.init)}"'
        self._cutter = Cutter(track, 1000, max(1, FRAGMENT_MS[track] * fps // 1000), longest=FRAGMENT_MS[track])
        self._held: fmp4.Sample | None = None
        self._put_last: av.VideoFrame | None = None
        self._put_slot = 0
        self._again: bytes | None = None
        self._black = _wrap(black_i420(self.width, self.height))
        self._shown: av.VideoFrame | None = None
        self._shown_seq = -1
        self._shown_slot = 0
        self._start_ms = 0
        self._next_slot = 0
        self._next_key = 0

    def fits(self, item: Frame) -> bool:
        """Say whether the picture has this encoder's size."""
        rows, columns = item.image.shape[:2]
        return (even(columns), even(rows)) == (self.width, self.height)

    def encode(self, item: Frame) -> list[Fragment]:
        """Put a picture in its place; one that comes when its place is taken is left out."""
        at_ms = to_ms(item.at, self._origin)
        if self._shown is None:
            self._start_ms = max(at_ms, self._not_before_ms)
        slot = round((at_ms - self._start_ms) * self._fps / 1000)
        if slot < self._next_slot:
            return []
        done = self._fill(slot)
        if self._shown is None or not item.unchanged or item.seq != self._shown_seq + 1:
            self._shown = _wrap(to_i420(item.image[: self.height, : self.width]))
        self._shown_seq, self._shown_slot = item.seq, slot
        return done + self._put(self._shown)

    def fill(self, until: Instant) -> list[Fragment]:
        """Repeat the last picture, or black, in the places before ``until``."""
        if self._shown is None:
            return []
        return self._fill((to_ms(until, self._origin) - self._start_ms) * self._fps // 1000)

    def finish(self) -> list[Fragment]:
        """Flush the encoder."""
        done = [fragment for packet in self._stream.encode(None) for fragment in self._take(packet)]
        done += self._let_go(self._time(self._next_slot)) + self._cutter.cut()
        self._output.close()
        return done

    def _fill(self, slot: int) -> list[Fragment]:
        if slot - self._next_slot > _LONGEST_FILL_S * self._fps:
            # The machine slept. A hole says so better than an hour of black.
            before = self._let_go(self._time(self._next_slot))
            self._next_slot = self._next_key = slot
            return before
        done: list[Fragment] = []
        while self._shown is not None and self._next_slot < slot:
            stale = self._next_slot - self._shown_slot > self._fps
            done += self._put(self._black if stale else self._shown)
        return done

    def _put(self, picture: av.VideoFrame) -> list[Fragment]:
        key = self._next_slot >= self._next_key
        if self._is_variable and not key and picture is self._put_last and self._next_slot < self._put_slot + self._fps:
            self._next_slot += 1
            return self._cutter.cut_before(self._time(self._next_slot))
        again = None if key or picture is not self._put_last else self._again
        self._put_last, self._put_slot = picture, self._next_slot
        self._next_slot += 1
        if again is not None:
            return self._pass_on(again, self._put_slot, key=False)
        if key:
            self._next_key = self._put_slot + self._gop
        picture.pts = self._time(self._put_slot)
        picture.pict_type = PictureType.I if key else PictureType.NONE
        self._again = None
        return [fragment for packet in self._stream.encode(picture) for fragment in self._take(packet)]

    def _time(self, slot: int) -> int:
        return self._start_ms + round(slot * 1000 / self._fps)

    def _take(self, packet: "Packet[av.VideoStream]") -> list[Fragment]:
        start = packet.pts if packet.pts is not None else 0
        slot = round((start - self._start_ms) * self._fps / 1000)
        data = bytes(packet)
        if self._codec is Codec.VP9:
            self._again = vp9.repeated(data) if slot == self._put_slot else None
        elif self._codec is Codec.H264:
            data = fmp4.avc_sample(data)
        else:
            data = fmp4.av1_sample(data)
        return self._pass_on(data, slot, key=packet.is_keyframe)

    def _pass_on(self, data: bytes, slot: int, *, key: bool) -> list[Fragment]:
        start = self._time(slot)
        sample = fmp4.Sample(data=data, start=start, duration=self._time(slot + 1) - start, key=key)
        if not self._is_variable:
            return self._cutter.add(sample)
        done = self._let_go(start)
        self._held = sample
        return done

    def _let_go(self, until_ms: int) -> list[Fragment]:
        """Hand on the picture that was held back until it was known for how long it is shown."""
        held, self._held = self._held, None
        return [] if held is None else self._cutter.add(replace(held, duration=max(1, until_ms - held.start)))

    def _open_stream(self) -> tuple[av.container.OutputContainer, av.VideoStream, bytes]:
        settings = video_settings(self.track, self._codec, self._quality)
        head = io.BytesIO()
        output = av.open(head, "w", format="mp4", options=_MUXER)
        stream = cast(av.VideoStream, output.add_stream(settings.encoder, rate=self._fps))
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
        stream.time_base = Fraction(1, 1000)
        context = stream.codec_context
        context.time_base = Fraction(1, 1000)
        context.gop_size, context.max_b_frames, context.thread_count = self._gop, 0, 1
        context.bit_rate = settings.bit_rate
        # What to_i420 makes: BT.601 matrix in limited range, of sRGB-like primaries.
        context.color_range, context.color_primaries, context.color_trc, context.colorspace = 1, 1, 1, 6
        context.options = dict(settings.options)
        return output, stream, _init_segment(output, head)


class AudioEncoder:
    """Encodes the microphone with Opus; ``init`` and ``mime`` are there from the start.

    Sound keeps its own even pace; it is set right with silence, or by leaving a chunk out, when it strays from the
    capture times by more than 25 ms. It is encoded when there is enough for a fragment, which costs a third less than
    20 ms at a time and delays nothing: a fragment is not handed on before its last chunk anyway.
    """

    def __init__(
        self, timeline_origin: Instant, *, track: Track = Track.MICROPHONE, quality: Quality = STANDARD
    ) -> None:
        self.track = track
        self._origin, self._quality = timeline_origin, quality
        self._output, self._stream, self.init = self._open_stream()
        self.mime = f'audio/mp4; codecs="{fmp4.codecs(self.init)}"'
        self._cutter = Cutter(track, AUDIO_RATE, FRAGMENT_MS[track] * AUDIO_RATE // 1000 // AUDIO_CHUNK)
        self._started = False
        self._next = 0
        self._gathered: list[Sound] = []
        self._waiting = 0

    def fits(self, item: AudioChunk) -> bool:
        """Say whether the sound has the one rate that there is."""
        return item.rate == AUDIO_RATE

    def encode(self, item: AudioChunk) -> list[Fragment]:
        """Append a chunk at its place."""
        if item.rate != AUDIO_RATE:
            raise ValueError(f"sound must have {AUDIO_RATE} samples a second, not {item.rate}")
        at = to_samples(item.at, self._origin, AUDIO_RATE)
        if not self._started:
            self._started, self._next = True, at
        ahead = self._next + self._waiting - at
        if ahead > _SOUND_TOLERANCE:
            return []
        done = self._silence(-ahead) if -ahead > _SOUND_TOLERANCE else []
        return done + self._append(item.pcm)

    def fill(self, until: Instant) -> list[Fragment]:
        """Append silence up to ``until``."""
        if not self._started:
            return []
        return self._silence(to_samples(until, self._origin, AUDIO_RATE) - self._next - self._waiting)

    def finish(self) -> list[Fragment]:
        """Flush the encoder; an incomplete last chunk is filled up with silence."""
        done = self._encode_all()
        done += [fragment for packet in self._stream.encode(None) for fragment in self._take(packet)]
        done += self._cutter.cut()
        self._output.close()
        return done

    def _silence(self, samples: int) -> list[Fragment]:
        if samples <= 0:
            return []
        if samples > _LONGEST_FILL_S * AUDIO_RATE:
            done = self._encode_all() + self._cutter.cut()
            self._next += samples
            return done
        return self._append(np.zeros(samples, np.int16))

    def _append(self, pcm: Sound) -> list[Fragment]:
        self._gathered.append(pcm)
        self._waiting += len(pcm)
        return self._encode() if self._waiting >= self._cutter.room * AUDIO_CHUNK else []

    def _encode_all(self) -> list[Fragment]:
        """Encode what was gathered, its last chunk filled up with silence."""
        self._gathered.append(np.zeros(-self._waiting % AUDIO_CHUNK, np.int16))
        return self._encode()

    def _encode(self) -> list[Fragment]:
        """Encode what was gathered, but for an incomplete last chunk; PyAV cuts it into chunks."""
        pcm = np.concatenate(self._gathered)
        whole = len(pcm) // AUDIO_CHUNK * AUDIO_CHUNK
        self._gathered, self._waiting = [pcm[whole:]], len(pcm) - whole
        if not whole:
            return []
        sound = av.AudioFrame.from_ndarray(pcm[None, :whole], format="s16", layout="mono")
        sound.sample_rate, sound.time_base, sound.pts = AUDIO_RATE, Fraction(1, AUDIO_RATE), self._next
        self._next += whole
        return [fragment for packet in self._stream.encode(sound) for fragment in self._take(packet)]

    def _take(self, packet: "Packet[av.AudioStream]") -> list[Fragment]:
        # Opus' own delay of 6.5 ms makes the first packet start that much early; before 0 there is no timeline.
        start = max(0, packet.pts if packet.pts is not None else 0)
        return self._cutter.add(fmp4.Sample(data=bytes(packet), start=start, duration=AUDIO_CHUNK, key=True))

    def _open_stream(self) -> tuple[av.container.OutputContainer, av.AudioStream, bytes]:
        head = io.BytesIO()
        output = av.open(head, "w", format="mp4", options=_MUXER)
        stream = output.add_stream("libopus", rate=AUDIO_RATE)
        context = stream.codec_context
        context.layout = "mono"
        context.time_base = Fraction(1, AUDIO_RATE)
        context.bit_rate = self._quality.microphone_kbps * 1000
        context.options = dict(OPUS_OPTIONS)
        return output, stream, _init_segment(output, head)


def _init_segment(output: av.container.OutputContainer, head: io.BytesIO) -> bytes:
    with ordinary_time():
        output.start_encoding()
    return head.getvalue()


def _wrap(planes: Picture) -> av.VideoFrame:
    """Return a frame on the memory of ``planes``, which must not be written to any more."""
    frame = av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")
    frame.time_base = Fraction(1, 1000)
    return frame
