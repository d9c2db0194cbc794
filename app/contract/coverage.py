"""Which stretches of which track are not there, as the signed records say. Pure; no segment has to be opened.

The server says it to examiners as soon as the records have arrived, ``fairlock verify`` says it of an export. Whether a
stretch is missing with good reason (a device lost, the application restarted) is in the sealed journal, as a gap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.contract.incidents import Track
from app.contract.policy import Capture
from app.contract.sealing.records import Record

TOLERANCE_MS = 1_000
"""Devices start one after another and segments end on a fragment; shorter stretches are no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A stretch of ``track`` without evidence, on the session's timeline."""

    track: Track
    from_ms: int
    to_ms: int


def wanted(capture: Capture) -> tuple[Track, ...]:
    """Return the tracks that a policy asks to be recorded from the first moment to the last."""
    switches = {Track.CAMERA: capture.camera, Track.SCREEN: capture.screen, Track.MICROPHONE: capture.microphone}
    return tuple(track for track, on in switches.items() if on)


def missing(
    records: Iterable[Record], tracks: Sequence[Track], *, tolerance_ms: int = TOLERANCE_MS
) -> tuple[Missing, ...]:
    """Return what ``tracks`` lack between the first and the last moment that any of them shows, by track and time."""
    shown: dict[Track, list[tuple[int, int]]] = {track: [] for track in tracks}
    for record in records:
        if record.track in shown:
            shown[record.track].append((record.start_ms, record.start_ms + record.duration_ms))
    stretches = [stretch for of_track in shown.values() for stretch in of_track]
    if not stretches:
        return ()
    first, last = min(start for start, _ in stretches), max(end for _, end in stretches)
    return tuple(
        Missing(track=track, from_ms=start, to_ms=end)
        for track in tracks
        for start, end in _holes(sorted(shown[track]), first, last)
        if end - start > tolerance_ms
    )


def _holes(stretches: Sequence[tuple[int, int]], first: int, last: int) -> Iterable[tuple[int, int]]:
    reached = first
    for start, end in stretches:
        if start > reached:
            yield reached, start
        reached = max(reached, end)
    if last > reached:
        yield reached, last
