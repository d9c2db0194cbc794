"""The demo exam's questions and pages; plain HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

TITLE = "Demonstration exam"


@dataclass(frozen=True, slots=True)
class Question:
    """One question; with ``choices`` it is answered by picking one. ``sample`` is what the rehearsal answers."""

    name: str
    text: str
    sample: str
    choices: tuple[str, ...] = ()


PAGES: tuple[tuple[Question, ...], ...] = (
    (
        Question(
            "q1", "Which planet of the solar system has the most mass?", "Jupiter", ("Earth", "Jupiter", "Saturn")
        ),
        Question(
            "q2", "Why does a day on Venus last longer than its year?", "It turns slower than it circles the Sun."
        ),
        Question("q3", "Name one thing that Kepler's second law says.", "Equal areas in equal times."),
    ),
    (
        Question(
            "q4",
            "What holds the Moon in its orbit?",
            "Gravity",
            ("Air pressure", "Gravity", "Magnetism"),
        ),
        Question(
            "q5",
            "Explain in two sentences why we see phases of the Moon.",
            "The Sun lights one half. We see it change.",
        ),
    ),
)
NAMES = frozenset(question.name for page in PAGES for question in page)


def exam_page(number: int, *, answers: Mapping[str, str], rehearse_s: int | None) -> str:
    """Return page ``number`` (from 1) with the answers given so far; the sample answers only for a rehearsal."""
    questions = "".join(
        _field(question, answers.get(question.name, ""), rehearsed=bool(rehearse_s)) for question in PAGES[number - 1]
    )
    rehearsal = f' data-rehearse="{rehearse_s}"' if rehearse_s else ""
    back = f'<a class="button quiet" href="/part/{number - 1}">Back</a>' if number > 1 else "<span></span>"
    if number < len(PAGES):
        onward = f'<a class="button" id="onward" href="/part/{number + 1}">Next page</a>'
    else:
        onward = '<a class="button" id="onward" href="/submitted">Hand in the exam</a>'
    body = (
        f'<main data-page="{number}" data-pages="{len(PAGES)}"{rehearsal}>{questions}'
        f'<nav>{back}<span class="saved" id="saved" role="status">Answers are saved as you write.</span>'
        f"{onward}</nav></main>"
    )
    return _document(f"<p>Page {number} of {len(PAGES)}</p>", body, script=True)


def submitted_page() -> str:
    """Return the page after handing in."""
    body = (
        '<main><section class="question"><h2>Your exam is handed in.</h2>'
        "<p>Thank you. You may close this window.</p></section></main>"
    )
    return _document("<p>Finished</p>", body, script=False)


def _field(question: Question, given: str, *, rehearsed: bool) -> str:
    sample = f' data-sample="{escape(question.sample)}"' if rehearsed else ""
    name = escape(question.name)
    if question.choices:
        options = "".join(
            f'<label><input type="radio" name="{name}" value="{escape(choice)}"{sample}'
            f"{' checked' if choice == given else ''}> {escape(choice)}</label>"
            for choice in question.choices
        )
        field = f'<div class="choices" role="radiogroup" aria-labelledby="{name}">{options}</div>'
    else:
        field = f'<textarea name="{name}" rows="3" aria-labelledby="{name}"{sample}>{escape(given)}</textarea>'
    return f'<section class="question"><h2 id="{name}">{name[1:]}. {escape(question.text)}</h2>{field}</section>'


def _document(side: str, body: str, *, script: bool) -> str:
    loaded = '<script src="/files/exam.js" defer></script>' if script else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{TITLE}</title><link rel="stylesheet" href="/files/exam.css"><link rel="icon" href="/files/exam.svg">'
        f'{loaded}</head><body><header><h1>{TITLE}</h1><div class="side">{side}</div></header>{body}</body></html>'
    )
