"""Reads recorded media back: how much of it really decodes. For examiners' tools and tests, never during capture."""

import io
from collections.abc import Sequence
from itertools import pairwise

import av


def decoded_seconds(fragments: Sequence[bytes]) -> float:
    """Decode one segment (initialisation bytes, then fragments) and return the seconds of media that came out.

    Video counts from the first frame to the last plus one frame's length; sound counts samples. What does not decode
    is not counted, and damage ends the count.
    """
    data = b"".join(fragments)
    if not data:
        return 0.0
    times: list[float] = []
    samples = 0.0
    try:
        with av.open(io.BytesIO(data), mode="r") as container:
            if container.streams.audio:
                for sound in container.decode(audio=0):
                    samples += sound.samples / sound.sample_rate
            else:
                for picture in container.decode(video=0):
                    times.append(picture.time)
    except av.FFmpegError:
        pass
    if len(times) < 2:
        return samples + (0.001 if times else 0.0)
    times.sort()
    steps = sorted(later - earlier for earlier, later in pairwise(times))
    return times[-1] - times[0] + steps[len(steps) // 2]
