"""No encoder makes a thread that leaves the processor to nobody: neither its own, nor the one that opened it."""

import os
import threading
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Codec
from capture.encoder import AudioEncoder, VideoEncoder
from capture.fake import FakeVideo
from capture.ordinary_time import ordinary_time

THREADS = Path("/proc/self/task")
pytestmark = pytest.mark.skipif(not THREADS.is_dir(), reason="nothing to lose: Linux alone tells of threads")


def real_time() -> list[int]:
    """Return the threads of this process that run as long as they like."""
    return [thread for thread in (int(entry.name) for entry in THREADS.iterdir()) if is_real_time(thread)]


def is_real_time(thread: int) -> bool:
    try:
        return os.sched_getscheduler(thread) in (os.SCHED_FIFO, os.SCHED_RR)
    except ProcessLookupError:
        return False  # it ended in between


def may_be_made() -> bool:
    """Say whether this process may make a thread a real-time one; tried in one that ends."""
    answers: list[bool] = []

    def be_made_one() -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        except PermissionError:
            answers.append(False)
        else:
            answers.append(True)

    thread = threading.Thread(target=be_made_one)
    thread.start()
    thread.join()
    return answers == [True]


@pytest.mark.parametrize("codec", Codec)
def test_encoding_makes_no_thread_a_real_time_one(codec: Codec) -> None:
    if not may_be_made():
        pytest.skip("needs more rights: without the right to real-time threads it could not fail")
    clock = ManualClock()
    encoder = VideoEncoder(Track.CAMERA, width=160, height=120, fps=15, codec=codec, timeline_origin=clock.now())
    source = FakeVideo(clock)
    source.open()
    for _ in range(20):
        encoder.encode(source.read())
    AudioEncoder(clock.now())
    assert real_time() == []


def test_a_thread_that_was_made_one_is_an_ordinary_one_afterwards() -> None:
    seen: list[int] = []
    highest = os.sched_param(os.sched_get_priority_max(os.SCHED_FIFO))

    def be_made_one() -> None:
        try:
            with ordinary_time():
                os.sched_setscheduler(0, os.SCHED_FIFO, highest)
                seen.append(os.sched_getscheduler(0))
        except PermissionError:
            return
        seen.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=be_made_one)
    thread.start()
    thread.join()
    if not seen:
        pytest.skip("needs more rights: only root makes real-time threads")
    assert seen == [os.SCHED_FIFO, os.SCHED_OTHER]


def test_a_thread_that_ended_in_between_is_none() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert thread.native_id is not None
    assert not is_real_time(thread.native_id)
