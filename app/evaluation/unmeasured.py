"""What a sample of recordings can not say, as sentences for the document. Pure."""

from collections.abc import Iterator

from app.evaluation.groups import by_group
from app.evaluation.needs import NAMED, known
from app.evaluation.result import Result
from app.evaluation.truth import THINGS, Medium

GROUPS = ("skin_tone", "light", "glasses", "headwear", "camera")
"""Columns of truth by which recall ought to be compared, so that nobody is found less, or accused more, than others."""


def unmeasured(result: Result) -> Iterator[str]:
    """Yield what this sample cannot say."""
    seen = {thing for scores in (result.events, result.stills) for thing, one in scores.items() if one.events}
    if missing := [str(thing) for thing in THINGS if thing not in seen]:
        yield f"No recording holds a long enough event of: {', '.join(missing)}. Their recall is unknown."
    if result.policy.objects and (unknown := [thing for thing in NAMED if thing not in known(result.models)]):
        yield f"No model here knows: {', '.join(unknown)}. Nothing looks for them, so they are not judged."
    moving = [one.thing for one in result.events.values() if one.events]
    if stills := [thing for thing in seen if thing not in moving]:
        yield f"Only still pictures show: {', '.join(sorted(stills))}. Recall in an exam is unknown."
    hours = sum(one.seconds for one in result.replays if one.recording.medium is not Medium.PICTURE) / 3600
    honest = max((one.honest_s for one in result.events.values()), default=0.0) / 3600
    yield (
        f"{hours:.2f} hours were played, at most {honest:.2f} of them honest for any thing. "
        "To show 0.2 false events an hour takes at least 18 hours without one."
    )
    columns = {group.column for one in (*result.events.values(), *result.stills.values()) for group in by_group(one)}
    if absent := [column for column in GROUPS if column not in columns]:
        yield f"Nothing compares groups by {', '.join(absent)}: the recordings do not say. Fairness is not shown."
    silent = [one.recording.name for one in result.replays if not one.recording.truth.complete]
    if silent:
        yield f"Without truth, played for what they raise only: {', '.join(silent)}."
    if result.chosen.left_out:
        yield f"Stopped early: {result.chosen.left_out} more recordings were not played."
    yield "Whole exams, real candidates, laptops' own cameras and microphones, and what a reviewer makes of incidents."
