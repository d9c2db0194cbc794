"""What the end screen shows. Pure data, so that what is said at the end can be tested without a screen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """``good`` is whether all went as it should; ``line`` says what ``title`` leaves open.

    ``step`` is how far the candidate came, as the steps at the top count: 2 the checks, 4 handing in.
    """

    title: str
    line: str
    good: bool
    upload: str = ""
    upload_good: bool = True
    changed: bool = False
    undone: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    step: int = 4
