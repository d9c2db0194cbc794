"""Frees cyclic garbage in the GUI thread alone.

Python frees it in whichever thread happens to allocate next, here also in those that read from the other processes. A
Qt object that is destroyed in another thread than its own takes the program down, now and then and somewhere else:
so automatic collection is off, and a timer does what it would have done.

Source: K. Goyal on the PyQt list, August 2011, "PyQt and the garbage collector".
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QTimer

PERIOD_MS = 500


@contextmanager
def freed_here() -> Iterator[None]:
    """Collect in this thread alone, as long as its event loop runs and the block lasts."""
    timer = QTimer()
    timer.setInterval(PERIOD_MS)
    timer.timeout.connect(collect)
    gc.disable()
    timer.start()
    try:
        yield
    finally:
        timer.stop()
        gc.enable()


def collect() -> None:
    """Collect the oldest generation that is due by Python's own thresholds, with all younger ones."""
    counts, thresholds = gc.get_count(), gc.get_threshold()
    for generation in reversed(range(3)):
        if counts[generation] > thresholds[generation]:
            gc.collect(generation)
            return
