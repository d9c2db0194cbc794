"""A recording on a network that is paid by volume: it goes on, waits on the disk, and the journal says so."""

from dataclasses import replace
from pathlib import Path

from app.contract.incidents import Track
from app.contract.journal import EntryType
from app.recorder.recording import Recording
from capture.fake import FakeVideo
from tests.unit.test_recorder_recording import Bench


class Paid:
    """A network that is paid by volume."""

    def is_metered(self) -> bool:
        return True


def metered(bench: Bench, *, pause: bool) -> Recording:
    """Return a recording on that network, under a policy that minds or does not."""
    parts = bench.recording(FakeVideo(bench.clock))
    made = parts._parts
    parts.close()
    policy = replace(made.joined.policy, upload=replace(made.joined.policy.upload, pause_when_metered=pause))
    return Recording(replace(made, joined=replace(made.joined, policy=policy), metering=Paid()))


def test_it_records_and_waits_and_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    recording = metered(bench, pause=True)
    recording.start()
    recording.wait_for_first_fragments()
    held = [recording.metered.holds]
    recording.stop()
    held.append(recording.metered.holds)
    assert held == [True, False]  # what waited may be sent now
    recording.close()
    said = [note for note in bench.journal(EntryType.NOTE) if "upload" in note]
    assert {"upload": "held back", "reason": "the network is metered"} in said
    assert {"upload": "goes on", "reason": "the exam is over"} in said
    assert bench.records(Track.CAMERA)


def test_a_policy_that_does_not_mind_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    recording = metered(bench, pause=False)
    recording.start()
    recording.wait_for_first_fragments()
    assert not recording.metered.holds
    recording.stop()
    recording.close()
    assert not [note for note in bench.journal(EntryType.NOTE) if note.get("upload") == "held back"]
