"""The report as one page that needs nothing else: tables, a timeline of each recording, pictures of what went wrong.

Pure: returns text. The page holds pictures of people; whoever writes it keeps it where the recordings are kept.
"""

import base64
from collections.abc import Iterator, Sequence
from html import escape

from app.evaluation.groups import groups_table
from app.evaluation.replay import Replay
from app.evaluation.result import Result
from app.evaluation.scoring import Score
from app.evaluation.session import Raised
from app.evaluation.text_report import (
    costs_table,
    events_table,
    held_table,
    looks_table,
    stills_table,
    unplayed_table,
)
from app.evaluation.truth import Event, Medium, Recording

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
td, th { padding: .2rem .6rem; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap; }
figure { display: inline-block; vertical-align: top; width: 22rem; margin: 0 1rem 1rem 0; }
figure img { max-width: 100%; } figcaption { font-size: 13px; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; } .note { color: #555; }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; } td, th { border-color: #444; } }
"""
_ROW, _WIDTH, _LABEL = 16, 1000, 140


def html_report(result: Result) -> str:
    """Return the page."""
    body = "\n".join(_body(result))
    title = f"Detectors on {escape(result.folder)}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n{body}\n</body></html>\n"
    )


def _body(result: Result) -> Iterator[str]:
    yield _paragraphs(
        f"{len(result.replays)} recordings. Policy: {', '.join(result.differences) or 'the default'}.",
        "This page holds pictures of people. Keep it with the recordings and delete it with them.",
        *filter(None, [str(result.chosen)]),
    )
    if result.chosen.unplayed:
        yield "<h2>Not played</h2>" + _table(unplayed_table(result))
    models = [("task", "model", "sha256"), *((t, card.title, card.sha256) for t, card in result.models.items())]
    yield _table(models)
    yield "<h2>Events in videos and sound</h2>" + _table(events_table(list(result.events.values())))
    yield f"<h2>Still pictures, each held for {result.hold_s:g} s</h2>" + _table(
        held_table(list(result.stills.values()))
    )
    yield "<h2>Still pictures at one look</h2>" + _table(looks_table(result))
    yield "<h2>Still pictures by what they show</h2>" + _table(stills_table(result))
    if result.composed:
        yield "<h2>Synthetic: composed, not recorded</h2>" + _table(events_table(list(result.composed.values())))
    yield "<h2>Recall and false alarms by group</h2>" + _table(groups_table(result))
    yield "<h2>CPU time</h2>" + _table(costs_table(result))
    for title, scores in (("", result.events), (" (still)", result.stills), (" (synthetic)", result.composed)):
        for one in scores.values():
            yield from _faults(one, title, result.replays)
    yield "<h2>Timelines</h2>" + _paragraphs("Above what is true (grey), below what was raised (orange).")
    for replay in result.replays:
        if replay.recording.medium is not Medium.PICTURE:
            yield f"<h3>{escape(replay.recording.name)}</h3>{_timeline(replay)}"


def _faults(one: Score, title: str, replays: Sequence[Replay]) -> Iterator[str]:
    """Yield pictures of each miss and each false alarm."""
    missed = [(judged.recording, judged.event) for judged in one.events if judged.found is None]
    if missed:
        yield f"<h2>Missed: {escape(one.thing)}{title}</h2>"
        yield from (
            _figure(recording, replays, event, _span(event.start_s, event.end_s)) for recording, event in missed
        )
    if one.false:
        yield f"<h2>False: {escape(one.thing)}{title}</h2>"
        yield from (_figure(false.recording, replays, false.raised, _caption(false.raised)) for false in one.false)


def _figure(recording: Recording, replays: Sequence[Replay], when: Event | Raised, caption: str) -> str:
    replay = next(one for one in replays if one.recording is recording)
    middle = (when.start_s + min(when.end_s, replay.seconds)) / 2
    image = ""
    if replay.pictures:
        at_s, data = min(replay.pictures, key=lambda picture: abs(picture[0] - middle))
        coded = base64.b64encode(data).decode("ascii")
        image = f'<img alt="{escape(recording.name)} at {at_s:.1f} s" src="data:image/jpeg;base64,{coded}">'
    name = escape(" · ".join(filter(None, (recording.name, recording.truth.name))))
    return f"<figure>{image}<figcaption>{name}<br>{caption}</figcaption></figure>"


def _caption(raised: Raised) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in raised.facts.items())
    return escape(f"{_span(raised.start_s, raised.end_s)}: {facts}")


def _span(start_s: float, end_s: float) -> str:
    return f"{start_s:.1f} s to {end_s:.1f} s" if end_s < 1e9 else f"{start_s:.1f} s to the end"


def _timeline(replay: Replay) -> str:
    """Return a drawing with two rows for each thing: what is true, what was raised."""
    truth = replay.recording.truth
    things = sorted({event.thing for event in truth.events} | {raised.thing for raised in replay.raised})
    if not things or not replay.seconds:
        return _paragraphs("Nothing is true of it and nothing was raised.")
    scale = (_WIDTH - _LABEL) / replay.seconds
    bars = []
    for index, thing in enumerate(things):
        top = index * 2 * _ROW
        bars.append(f'<text x="0" y="{top + _ROW}" font-size="12" fill="currentColor">{escape(thing)}</text>')
        bars += [_bar(one, replay.seconds, scale, top, "#999") for one in truth.events if one.thing == thing]
        bars += [
            _bar(one, replay.seconds, scale, top + _ROW - 4, "#e70") for one in replay.raised if one.thing == thing
        ]
    return f'<svg viewBox="0 0 {_WIDTH} {len(things) * 2 * _ROW}" role="img">{"".join(bars)}</svg>'


def _bar(one: Event | Raised, seconds: float, scale: float, top: float, colour: str) -> str:
    left, right = one.start_s, min(one.end_s, seconds)
    width = max(1.0, (right - left) * scale)
    return (
        f'<rect x="{_LABEL + left * scale:.1f}" y="{top + 2}" width="{width:.1f}" height="{_ROW - 6}" fill="{colour}">'
        f"<title>{_span(left, right)}</title></rect>"
    )


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    if len(rows) < 2:
        return _paragraphs("Nothing.")
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return f"<table><tr>{head}</tr>{body}</table>"


def _paragraphs(*texts: str) -> str:
    return "".join(f'<p class="note">{escape(text)}</p>' for text in texts)
