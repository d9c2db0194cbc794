"""Everything one evaluation found, ready to be shown. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.contract.policy import Detection
from app.evaluation.goals import differences, least_s, setting_s
from app.evaluation.needs import looked_for
from app.evaluation.replay import Replay
from app.evaluation.scoring import Score, score
from app.evaluation.truth import ALSO_RIGHT, OBJECTS, Medium
from app.evaluation.weighed import Cost
from detectors.catalogue import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Still pictures that show the same: ``said`` counts pictures by label at one look, ``raised`` by incident."""

    name: str
    pictures: int
    said: Mapping[str, int]
    raised: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneLook:
    """What one look at each still picture says of ``thing``: ``there`` of the pictures show it, ``absent`` do not.

    ``right`` of the first were called so, ``placed`` of these where the thing is; ``wrong`` of the second were.
    """

    thing: str
    there: int
    right: int
    placed: int
    absent: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which of the folder's recordings were meant, and what became of the others.

    ``only`` and ``limit`` are the filter, which kept ``unchosen`` away; ``left_out`` of the rest were not reached, and
    ``unplayed`` says by name why a file could not be played.
    """

    only: str = ""
    limit: int | None = None
    unchosen: int = 0
    left_out: int = 0
    unplayed: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the filter as a sentence; nothing where everything was meant."""
        parts = [f"with {self.only!r} in their path"] if self.only else []
        parts += [f"at most {self.limit} of each folder"] if self.limit is not None else []
        return f"Only recordings {', '.join(parts)}: {self.unchosen} others were not chosen." if parts else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """``events``: of videos and sound; ``stills``: of pictures held for ``hold_s``; ``composed``: of synthetic ones."""

    folder: str
    policy: Detection
    hold_s: float
    models: Mapping[str, ModelCard]
    refused: Mapping[str, str]
    replays: tuple[Replay, ...]
    chosen: Chosen
    events: Mapping[str, Score]
    stills: Mapping[str, Score]
    composed: Mapping[str, Score]
    named: tuple[Named, ...]
    looks: tuple[OneLook, ...]
    costs: Mapping[str, Cost]

    @property
    def differences(self) -> tuple[str, ...]:
        """Return where the policy is not the default one."""
        return differences(self.policy)


def conclude(
    *,
    folder: str,
    policy: Detection,
    hold_s: float,
    models: Mapping[str, ModelCard],
    refused: Mapping[str, str],
    replays: Sequence[Replay],
    chosen: Chosen,
    costs: Mapping[str, Cost],
) -> Result:
    """Judge all replays. Synthetic recordings never count with recorded ones."""

    def scored(some: Sequence[Replay]) -> dict[str, Score]:
        return score(
            some,
            least=lambda thing: least_s(policy, thing),
            setting=lambda thing: setting_s(policy, thing),
            looked_for=looked_for(policy, models, refused),
        )

    real = [one for one in replays if not one.recording.truth.synthetic]
    stills = [one for one in real if one.recording.medium is Medium.PICTURE]
    return Result(
        folder=folder,
        policy=policy,
        hold_s=hold_s,
        models=models,
        refused=refused,
        replays=tuple(replays),
        chosen=chosen,
        events=scored([one for one in real if one.recording.medium is not Medium.PICTURE]),
        stills=scored(stills),
        composed=scored([one for one in replays if one.recording.truth.synthetic]),
        named=_named(stills),
        looks=_looks(stills),
        costs=costs,
    )


def _named(stills: Sequence[Replay]) -> tuple[Named, ...]:
    names = sorted({_name(one) for one in stills})
    rows = []
    for name in names:
        mine = [one for one in stills if _name(one) == name]
        rows.append(
            Named(
                name=name,
                pictures=len(mine),
                said=Counter(label for one in mine for label in one.said),
                raised=Counter(thing for one in mine for thing in {raised.thing for raised in one.raised}),
            )
        )
    return tuple(rows)


def _looks(stills: Sequence[Replay]) -> tuple[OneLook, ...]:
    """Return a row for each thing that is shown or said; what ``ALSO_RIGHT`` allows is not wrong."""
    rows = []
    for thing in ("phone", *OBJECTS, "object_in_hand"):
        judged = [one for one in stills if thing in one.recording.truth.complete]
        there = [one for one in judged if thing in _shown(one)]
        absent = [one for one in judged if not ({thing} | ALSO_RIGHT.get(thing, frozenset())) & _shown(one)]
        said = [one for one in judged if thing in one.said]
        if there or said:
            right = [one for one in there if thing in one.said]
            rows.append(
                OneLook(
                    thing=thing,
                    there=len(there),
                    right=len(right),
                    placed=sum(thing in one.placed for one in right),
                    absent=len(absent),
                    wrong=sum(thing in one.said for one in absent),
                )
            )
    return tuple(rows)


def _shown(replay: Replay) -> frozenset[str]:
    return frozenset(event.thing for event in replay.recording.truth.events)


def _name(replay: Replay) -> str:
    return replay.recording.truth.name or "without a name"
