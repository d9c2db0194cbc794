"""Compare what was raised with what is true: found, missed and false events, each with where it lies. Pure.

An event is found when an incident of its own thing overlaps it (± the recording's tolerance); one long incident may
find several. An incident is false when its thing was known, nothing of it (or of what it is also right for) overlaps
it, and it lies in an annotated stretch. Rates are per time in which an incident could have been false, so time in which
the thing is there counts towards none. Events shorter than the least duration are neither to be found nor false.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.evaluation.goals import NOTICED_BY
from app.evaluation.replay import Replay
from app.evaluation.session import Raised
from app.evaluation.spans import common, outside_s
from app.evaluation.truth import ALSO_RIGHT, HEARD, SEEN, Event, Medium, Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One true event: ``found`` is the incident that found it; ``noticed``: it or a kindred one brings a reviewer."""

    recording: Recording
    event: Event
    groups: Mapping[str, str]
    found: Raised | None
    noticed: bool
    delay_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarm:
    """One incident without truth behind it."""

    recording: Recording
    raised: Raised
    honest: bool


@dataclass(slots=True)
class Score:
    """All that is known of one thing.

    ``seconds``: in which it was known not to be there, so that an incident would have been false; ``honest_s``: those
    of recordings without any event; ``group_s``: those by a recording's group (column, value). ``outside_s``: how long
    incidents lasted beyond what is true, also those that found something and did not end with it. ``without``: how many
    recordings hold ``seconds``.
    """

    thing: str
    least_s: float
    events: list[Judged] = field(default_factory=list)
    brief: int = 0
    false: list[FalseAlarm] = field(default_factory=list)
    seconds: float = 0.0
    honest_s: float = 0.0
    outside_s: float = 0.0
    group_s: dict[tuple[str, str], float] = field(default_factory=dict)
    without: int = 0

    @property
    def found(self) -> int:
        """How many events were found."""
        return sum(one.found is not None for one in self.events)

    @property
    def noticed(self) -> int:
        """How many were found, or noticed by a kindred incident."""
        return sum(one.noticed for one in self.events)

    @property
    def honest_false(self) -> int:
        """False events in recordings without any event."""
        return sum(one.honest for one in self.false)

    @property
    def delays(self) -> list[float]:
        """Seconds from start and least duration to the first report, in ascending order."""
        return sorted(one.delay_s for one in self.events if one.delay_s is not None)


def score(
    replays: Iterable[Replay],
    least: Callable[[str], float],
    setting: Callable[[str], float],
    looked_for: Collection[str],
) -> dict[str, Score]:
    """Return a score for each thing of ``looked_for`` that any truth speaks of, in the order of the alphabet.

    ``least`` gives how long an event must last to count, ``setting`` after how long it is to be raised, both seconds.
    """
    scores: dict[str, Score] = {}
    for replay in replays:
        truth = replay.recording.truth
        told = truth.complete | {event.thing for event in truth.events}
        for thing in sorted(told & _observable(replay) & frozenset(looked_for)):
            one = scores.setdefault(thing, Score(thing=thing, least_s=least(thing)))
            _judge(one, replay, setting(thing))
    return dict(sorted(scores.items()))


def _observable(replay: Replay) -> frozenset[str]:
    """Return what can be seen or heard; a video's sound counts where there is any and its truth speaks of it."""
    medium, complete = replay.recording.medium, replay.recording.truth.complete
    if medium is Medium.SOUND:
        return HEARD
    return SEEN | (complete & HEARD if medium is Medium.VIDEO and replay.heard_s else frozenset())


def _judge(one: Score, replay: Replay, setting_s: float) -> None:
    recording, truth = replay.recording, replay.recording.truth
    spans = [_clipped(event, replay.seconds) for event in truth.events if event.thing == one.thing]
    mine = [raised for raised in replay.raised if raised.thing == one.thing]
    for event in spans:
        if event.end_s - event.start_s < min(one.least_s, _longest(recording, replay)) - 1e-6:
            one.brief += 1
        elif event.end_s > event.start_s:
            one.events.append(_judged(event, replay, mine, setting_s))
    if one.thing in truth.complete:
        _judge_false(one, replay, mine)


def _judge_false(one: Score, replay: Replay, mine: Sequence[Raised]) -> None:
    """Count the time in which an incident would have been false, and those that were."""
    recording, truth = replay.recording, replay.recording.truth
    names = {one.thing} | ALSO_RIGHT.get(one.thing, frozenset())
    length = _length_s(replay, one.thing)
    right = [_clipped(event, length) for event in truth.events if event.thing in names]
    annotated = common([(0.0, length)], truth.regions or [(0.0, length)])
    true = [(event.start_s, event.end_s) for event in right]
    seconds, honest = outside_s(annotated, true), not truth.events
    one.seconds += seconds
    one.without += seconds > 0
    one.honest_s += seconds if honest else 0.0
    for group in truth.groups.items():
        one.group_s[group] = one.group_s.get(group, 0.0) + seconds
    one.outside_s += outside_s(common([(raised.start_s, raised.end_s) for raised in mine], annotated), true)
    for raised in mine:
        if _inside(raised, truth.regions) and not any(_near(event, raised, truth.tolerance_s) for event in right):
            one.false.append(FalseAlarm(recording=recording, raised=raised, honest=honest))


def _length_s(replay: Replay, thing: str) -> float:
    """A video's sound may be shorter than its pictures."""
    return replay.heard_s if thing in HEARD and replay.recording.medium is Medium.VIDEO else replay.seconds


def _longest(recording: Recording, replay: Replay) -> float:
    """A still picture is held for as long as it is held: that is never too short."""
    return replay.seconds if recording.medium is Medium.PICTURE else float("inf")


def _judged(event: Event, replay: Replay, mine: Sequence[Raised], setting_s: float) -> Judged:
    tolerance = replay.recording.truth.tolerance_s
    found = next((raised for raised in mine if _near(event, raised, tolerance)), None)
    names = NOTICED_BY.get(event.thing, frozenset({event.thing}))
    return Judged(
        recording=replay.recording,
        event=event,
        groups={**replay.recording.truth.groups, **event.groups},
        found=found,
        noticed=any(raised.thing in names and _near(event, raised, tolerance) for raised in replay.raised),
        delay_s=found.opened_s - event.start_s - setting_s if found and found.opened_s >= event.start_s else None,
    )


def _clipped(event: Event, seconds: float) -> Event:
    return Event(thing=event.thing, start_s=event.start_s, end_s=min(event.end_s, seconds), groups=event.groups)


def _near(event: Event, raised: Raised, tolerance_s: float) -> bool:
    return raised.end_s >= event.start_s - tolerance_s and raised.start_s <= event.end_s + tolerance_s


def _inside(raised: Raised, regions: Sequence[tuple[float, float]]) -> bool:
    return not regions or any(raised.start_s < end and raised.end_s > start for start, end in regions)
