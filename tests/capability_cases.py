"""What the conformance suite of lockdown (``tests/conformance/test_capabilities.py``) needs of each implementation."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from app.contract.incidents import IncidentKind
from lockdown.capabilities import Measure, Replay, Watch


@dataclass(frozen=True, kw_only=True)
class MeasureCase:
    """A measure and two ways to look at the desktop that do not go through it.

    ``state`` reads what the measure changes; ``undone_by_somebody`` sets it back as a user could.
    """

    make: Callable[[], Measure]
    state: Callable[[], object]
    undone_by_somebody: Callable[[], object]
    replayers: Mapping[str, Replay]
    ends_with_process: bool = False


@dataclass(frozen=True, kw_only=True)
class WatchCase:
    """A watch, something it must see, and how it loses its eyes."""

    watch: Watch
    provoke: Callable[[], AbstractContextManager[object]]
    kind: IncidentKind
    blind: Callable[[], object] | None
