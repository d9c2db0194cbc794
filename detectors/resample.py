"""Changing the rate of sound as it arrives: a polyphase low-pass filter that carries its state between chunks.

Pure numpy; runs in the thread that listens. Without the low-pass everything above the new half rate (hiss, whistling
switch-mode power supplies) would fold down into the band of speech.
"""

from math import gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

ZERO_CROSSINGS = 16
"""Half the filter's length in zero crossings of its sinc: about 60 dB down, 1 ms of delay at 16 kHz."""


class Resampler:
    """From ``source`` to ``target`` hertz. Feed chunks of any length; what comes out is continuous."""

    def __init__(self, source: int, target: int) -> None:
        if source <= 0 or target <= 0:
            raise ValueError("rates must be positive")
        common = gcd(source, target)
        self._up, self._down = target // common, source // common
        self._filter = _polyphase(self._up, self._down)  # [phase, tap]
        self._taps = self._filter.shape[1]
        self.reset()

    def reset(self) -> None:
        """Forget what was heard, as after a gap."""
        self._buffer = np.zeros(self._taps - 1, np.float32)
        self._position = 0  # of the next output, in steps of 1 / (source × up), from the buffer's first window

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the next samples [n]; return those at the new rate that are complete."""
        if self._up == self._down:
            return samples
        buffer = np.concatenate([self._buffer, samples])
        windows = len(buffer) - self._taps + 1
        steps = np.arange(self._position, windows * self._up, self._down)
        starts, phases = steps // self._up, steps % self._up
        heard = sliding_window_view(buffer, self._taps)[starts] if windows > 0 else np.empty((0, self._taps))
        self._position += len(steps) * self._down - max(windows, 0) * self._up
        self._buffer = buffer[max(windows, 0) :]
        return np.asarray(np.einsum("ij,ij->i", heard, self._filter[phases]), np.float32)


def _polyphase(up: int, down: int) -> NDArray[np.float32]:
    """Return a Kaiser-windowed sinc, cut off below the lower half rate, split into ``up`` phases [up, taps].

    Row ``p`` gives the output that lies ``p / up`` samples after a window's centre.
    """
    widest = max(up, down)
    cutoff = 0.9 / widest  # leaves room for the slope, in half rates of the interpolated signal
    half = ZERO_CROSSINGS * widest
    taps = -(-(2 * half + 1) // up)
    steps = np.arange(taps * up) - half
    sinc = cutoff * up * np.sinc(cutoff * steps)
    kaiser = np.i0(6.0 * np.sqrt(np.clip(1 - (steps / half) ** 2, 0, None))) / np.i0(6.0)
    filtered = np.where(np.abs(steps) <= half, sinc * kaiser, 0.0)
    phases = filtered.reshape(taps, up).T  # [phase, tap], newest sample first
    return np.ascontiguousarray(phases[:, ::-1], np.float32)
