"""A short run of the harness: whatever goes wrong on the way, what the spool acknowledged arrives exactly once."""

import sys

import pytest

from tests.faults import evidence

SEED = 41


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="full disks are made with prlimit, which needs Linux: more rights")
def test_acknowledged_fragments_arrive_exactly_once_whatever_goes_wrong() -> None:
    (outcome,) = evidence.run(12, seed=SEED, workers=1, faults=12, say=lambda _line: None)
    assert outcome.faults.total() >= 12
    assert outcome.acknowledged > 0
    assert outcome.lost == []
    assert outcome.doubled == []
    assert outcome.unopened == []
    assert outcome.chain == "intact"
