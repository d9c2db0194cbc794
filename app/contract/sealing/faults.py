"""Collects faults, so that a check which fails does not keep the next one from running. Belongs to the verifier."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.contract.errors import IntegrityError, Outcome
from app.contract.sealing.evidence import Fault


class Faults:
    """The faults found so far, in the order of the checks."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, where: str, outcome: Outcome, message: str) -> None:
        """Note one fault."""
        self.found.append(Fault(outcome=outcome, where=where, message=message))

    @contextmanager
    def collect(self, where: str, *, outcome: Outcome | None = None) -> Iterator[None]:
        """Note an ``IntegrityError`` raised inside as a fault at ``where`` and go on after the block.

        ``outcome`` replaces the error's own outcome.
        """
        try:
            yield
        except IntegrityError as error:
            self.add(where, outcome or error.outcome, str(error))
