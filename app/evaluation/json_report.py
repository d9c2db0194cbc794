"""The report as JSON, for other programs. Pure; times are seconds, shares 0 to 1."""

import dataclasses
import json
from typing import Any

from app.evaluation.bounds import poisson, wilson
from app.evaluation.goals import GOALS
from app.evaluation.groups import Group, by_group
from app.evaluation.result import Result
from app.evaluation.scoring import Judged, Score
from app.evaluation.session import Raised


def json_report(result: Result) -> str:
    """Return one object; ``docs/recording-kit.md`` says what each key means."""
    report = {
        "folder": result.folder,
        "policy_differs": list(result.differences),
        "models": {task: {"name": card.title, "sha256": card.sha256} for task, card in result.models.items()},
        "only": result.chosen.only,
        "limit": result.chosen.limit,
        "not_chosen": result.chosen.unchosen,
        "left_out": result.chosen.left_out,
        "not_played": dict(result.chosen.unplayed),
        "refused": dict(result.refused),
        "events": {thing: _score(one) for thing, one in result.events.items()},
        "stills": {"held_s": result.hold_s, **{thing: _score(one) for thing, one in result.stills.items()}},
        "synthetic": {thing: _score(one) for thing, one in result.composed.items()},
        "pictures": [
            {"shows": row.name, "pictures": row.pictures, "said": dict(row.said), "raised": dict(row.raised)}
            for row in result.named
        ],
        "looks": [dataclasses.asdict(row) for row in result.looks],
        "cost": {
            name: {"looks": cost.looks, "heard_s": round(cost.heard_s, 2), "cpu_ms": round(cost.milliseconds, 1)}
            for name, cost in result.costs.items()
        },
        "recordings": [
            {
                "name": one.recording.name,
                "seconds": round(one.seconds, 2),
                "truth": one.recording.truth.made or None,
                "synthetic": one.recording.truth.synthetic,
                "raised": [_raised(raised) for raised in one.raised],
            }
            for one in result.replays
        ],
    }
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _score(one: Score) -> dict[str, Any]:
    hours = one.seconds / 3600
    goal = GOALS.get(one.thing)
    return {
        "least_s": one.least_s,
        "goal": {"recall": goal.recall, "false_per_hour": goal.false_per_hour} if goal else None,
        "events": len(one.events),
        "found": one.found,
        "noticed": one.noticed,
        "brief": one.brief,
        "recall": one.found / len(one.events) if one.events else None,
        "recall_95": wilson(one.found, len(one.events)),
        "false": len(one.false),
        "hours": hours,
        "false_per_hour_95": poisson(len(one.false), hours),
        "honest_false": one.honest_false,
        "honest_hours": one.honest_s / 3600,
        "outside_s": round(one.outside_s, 2),
        "delays_s": [round(delay, 2) for delay in one.delays],
        "groups": [_group(group) for group in by_group(one)],
        "missed": [_missed(judged) for judged in one.events if judged.found is None],
        "false_alarms": [{"recording": f.recording.name, **_raised(f.raised)} for f in one.false],
    }


def _group(group: Group) -> dict[str, Any]:
    told = dataclasses.asdict(group)
    return {"column": told.pop("column"), "group": told.pop("value"), **told, "hours": told.pop("seconds") / 3600}


def _missed(judged: Judged) -> dict[str, Any]:
    end_s = judged.event.end_s
    return {"recording": judged.recording.name, "start_s": judged.event.start_s, "end_s": round(end_s, 2)}


def _raised(raised: Raised) -> dict[str, Any]:
    return {
        "thing": raised.thing,
        "opened_s": round(raised.opened_s, 2),
        "start_s": round(raised.start_s, 2),
        "end_s": round(raised.end_s, 2),
        "source": raised.source,
        "facts": dict(raised.facts),
    }
