"""Rules that give truth to recordings by where they lie, by what a list says of them, or by their content.

Reads ``truth.toml``: the one that ships with the product (``resources/evaluation``) and those inside the folder that
is evaluated, which win. Pure apart from reading. A rule is one ``[[truth]]`` table::

    match = "calls/*.jpg"            # path inside the folder that holds this file; of the shipped one: any folder
    shows = "NO phone"               # regular expression, sought in the column `shows` of MANIFEST.tsv
    timed = "looking_away"           # each find of `shows` is an event of this; its groups `start`, `end` say when
    sha256 = "…"                     # of the file; for what was seen by eye in this very file
    made = "by eye"                  # how the truth came about
    complete = ["phone", "speech"]   # of which things this is the whole truth
    events = [["phone", 3.5, 9.0], ["absent"]]   # thing, start, end in seconds; without times: throughout
    name = "hand at ear"             # how the report calls such recordings
    groups = { light = "dark" }      # for recall by group
    classes = ["case", "phone"]      # names of YOLO classes, where the folder has no classes.txt
    held = ["case"]                  # those of the classes that are in a hand
    size = [640, 480]                # to what a stretched picture is brought
    tolerance_s = 0.5
    synthetic = true                 # composed, not recorded

At least one of match, shows and sha256 is needed; all that are given must fit. Rules that fit add up, but when a thing
happens is taken from the most exact kind of rule alone: what was seen by eye, else what the list says, else the folder.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

from app.evaluation import rule_values
from app.evaluation.truth import Event, truth_error
from app.evaluation.truth_formats import read_text

_TEXTS = {"match", "shows", "timed", "sha256", "made", "name", "note"}
_LISTS = {"complete", "events", "classes", "held", "size"}
_OTHERS = {"groups": dict, "tolerance_s": (int, float), "synthetic": bool}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One ``[[truth]]`` table: the one with this ``number``, from 1 on, of the file ``path``.

    ``below`` is the folder its ``match`` counts from, ``""`` for the whole.
    """

    path: Path
    number: int
    below: str = ""
    match: str | None = None
    shows: re.Pattern[str] | None = None
    timed: str | None = None
    sha256: str | None = None
    made: str = ""
    complete: frozenset[str] = frozenset()
    events: tuple[Event, ...] = ()
    name: str = ""
    note: str = ""
    groups: Mapping[str, str]
    classes: tuple[str, ...] = ()
    held: frozenset[str] = frozenset()
    size: tuple[int, int] | None = None
    tolerance_s: float | None = None
    synthetic: bool = False

    @property
    def exactness(self) -> int:
        """How exactly this rule knows its recordings: by content, by what is said of each, by where they lie."""
        return 2 if self.sha256 is not None else 1 if self.shows is not None else 0

    def told(self, shows: str) -> tuple[Event, ...]:
        """Return the events of this rule, those that it reads from the list's words included.

        Raises ``UserFacing`` (E-TRUTH) where those words are no times.
        """
        if self.timed is None or self.shows is None:
            return self.events
        try:
            read = [rule_values.found(self.timed, find.groupdict()) for find in self.shows.finditer(shows)]
        except ValueError as error:
            raise truth_error(
                self.path,
                None,
                f"{_called(self.number)}: in {shows!r} {error}",
                "Let the groups start and end find numbers alone, the end after the start.",
            ) from error
        return (*self.events, *read)

    def fits(self, name: str, shows: str, sha256: str) -> bool:
        """Whether this is about the file ``name`` (path inside the folder) of which the list says ``shows``."""
        if self.below and not name.startswith(f"{self.below}/"):
            return False
        inside = name[len(self.below) + 1 :] if self.below else name
        if (
            self.match is not None
            and not fnmatchcase(inside, self.match)
            and not fnmatchcase(f"/{inside}", f"*/{self.match}")
        ):
            return False
        if self.shows is not None and not self.shows.search(shows):
            return False
        return self.sha256 is None or self.sha256 == sha256


def shipped_rules() -> tuple[Rule, ...]:
    """Return the rules that ship with the product."""
    path = Path(str(files("resources").joinpath("evaluation", "truth.toml")))
    return read_rules(path, "")


def read_rules(path: Path, below: str) -> tuple[Rule, ...]:
    """Return the rules of one file; raises ``UserFacing`` (E-TRUTH) on any fault in it."""
    try:
        tables = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:  # also for numbers of thousands of digits
        raise truth_error(path, None, f"not TOML: {error}", "Correct it there.") from error
    if unknown := set(tables) - {"truth"}:
        raise truth_error(path, None, f"unknown keys {sorted(unknown)}", "Write [[truth]] tables only.")
    rules = tables.get("truth", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise truth_error(
            path, None, "truth is no list of tables", "Write [[truth]] with two brackets above each rule."
        )
    return tuple(_rule(path, number, rule, below) for number, rule in enumerate(rules, 1))


def _called(number: int) -> str:
    return f"[[truth]] number {number}"


def _rule(path: Path, number: int, table: Mapping[str, Any], below: str) -> Rule:
    where = _called(number)
    kinds: Mapping[str, Any] = dict.fromkeys(_TEXTS, str) | dict.fromkeys(_LISTS, list) | _OTHERS
    for key, value in table.items():
        if key not in kinds or not isinstance(value, kinds[key]):
            raise truth_error(
                path, None, f"{where}: {key} is not known or of a wrong type", "See docs/recording-kit.md."
            )
    if not {"match", "shows", "sha256"} & set(table):
        raise truth_error(path, None, f"{where} fits nothing", "Give it match, shows or sha256.")
    try:
        values = dict(table)
        shows = values.pop("shows", None)
        sought = re.compile(shows, re.IGNORECASE) if shows is not None else None
        return Rule(
            path=path,
            number=number,
            below=below,
            shows=sought,
            timed=rule_values.timed(values.pop("timed", None), sought),
            complete=frozenset(rule_values.thing(name) for name in values.pop("complete", [])),
            events=tuple(rule_values.event(row) for row in values.pop("events", [])),
            groups=rule_values.groups(values.pop("groups", {})),
            classes=rule_values.texts(values.pop("classes", [])),
            held=frozenset(rule_values.texts(values.pop("held", []))),
            size=rule_values.size(values.pop("size", None)),
            tolerance_s=rule_values.tolerance(values.pop("tolerance_s", None)),
            **values,
        )
    except (ValueError, OverflowError, RecursionError, re.error) as error:
        raise truth_error(path, None, f"{where}: {error}", "See docs/recording-kit.md.") from error
