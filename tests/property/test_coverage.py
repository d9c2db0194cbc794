"""What is missing and what is there make up the whole, whatever the order, the overlaps and the epochs."""

from hypothesis import given
from hypothesis import strategies as st

from app.contract.coverage import Missing, missing, wanted
from app.contract.incidents import Track
from app.contract.policy import Capture
from app.contract.sealing.records import FORMAT_VERSION, Record

TRACKS = (Track.CAMERA, Track.SCREEN)


def record(track: Track, start_ms: int, duration_ms: int) -> Record:
    """Return a record of which only track and times count."""
    return Record(
        version=FORMAT_VERSION,
        session="s",
        epoch=0,
        track=track,
        sequence=0,
        fragments=1,
        size=1,
        digest=bytes(32),
        previous=bytes(32),
        start_ms=start_ms,
        duration_ms=duration_ms,
        closed_ms=0,
        complete=True,
    )


RECORDS = st.lists(
    st.builds(record, st.sampled_from((*TRACKS, Track.JOURNAL)), st.integers(0, 60), st.integers(0, 20)), max_size=12
)


@given(RECORDS)
def test_each_moment_is_either_there_or_missing(records: list[Record]) -> None:
    media = [one for one in records if one.track in TRACKS]
    holes = missing(records, TRACKS, tolerance_ms=0)
    if not media:
        assert holes == ()
        return
    first = min(one.start_ms for one in media)
    last = max(one.start_ms + one.duration_ms for one in media)
    for track in TRACKS:
        for moment in range(first, last):
            there = any(
                one.track is track and one.start_ms <= moment < one.start_ms + one.duration_ms for one in records
            )
            lacks = any(hole.track is track and hole.from_ms <= moment < hole.to_ms for hole in holes)
            assert there is not lacks


@given(RECORDS, st.integers(0, 30))
def test_the_order_of_records_does_not_count_and_short_holes_are_no_news(records: list[Record], short: int) -> None:
    holes = missing(records, TRACKS, tolerance_ms=short)
    assert holes == missing(records[::-1], TRACKS, tolerance_ms=short)
    assert all(hole.to_ms - hole.from_ms > short for hole in holes)


def test_a_track_that_stopped_early_lacks_its_end() -> None:
    records = [record(Track.CAMERA, 0, 5_000), record(Track.SCREEN, 0, 20_000)]
    assert missing(records, TRACKS) == (Missing(track=Track.CAMERA, from_ms=5_000, to_ms=20_000),)


def test_a_track_that_nobody_wanted_is_not_missing() -> None:
    assert wanted(Capture(microphone=False)) == TRACKS
