"""The write-ahead file of changes to take back: on disk before the change is made, gone after it is undone.

Used by the guard, the last hand, the next start and ``fairlock restore``, one at a time (``lockdown.claim``). If the
power fails between two lines of this module, the file says too much rather than too little: undoing twice, or undoing
what was never done, is harmless, because each replay function sets a state and does not toggle one.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.contract.errors import FairlockError, IntegrityError, Outcome, UserFacing
from app.external import Completed
from lockdown import ledger
from lockdown.capabilities import Measure, Replay, Undo
from lockdown.claim import PATIENCE_S, Claim
from lockdown.ledger import EMPTY, Ledger

_log = logging.getLogger("fairlock.restore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What was undone and what could not be, as sentences."""

    undone: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


NOBODY = ""
"""The holder of a file whose head can't be read: anybody may undo it."""


def always() -> bool:
    """Say yes: the change is wanted whenever its turn comes."""
    return True


class RestoreFile:
    """The file at ``path``; ``holder`` names who makes the changes (the guard's process of now).

    ``patience_s`` is how long it waits for somebody else's change or undo.
    """

    def __init__(self, path: Path, *, holder: str = NOBODY, patience_s: float = PATIENCE_S) -> None:
        self.path = path
        self.holder = holder
        self._patience_s = patience_s
        self._claim = Claim(path.with_suffix(".lock"))
        self._draft = path.with_suffix(".draft")

    def pending(self) -> tuple[Undo, ...]:
        """Return what is still to be undone; raises ``IntegrityError(BAD_FORMAT)`` for a damaged file."""
        found = self._read()
        if found.damage:
            raise IntegrityError(Outcome.BAD_FORMAT, f"the restore file is damaged: {found.damage}")
        return found.undos

    def run(self, command: Sequence[str], *, timeout_s: float = 5.0) -> Completed:
        """Run a program for a change or an undo: while it runs, nobody else changes anything."""
        return self._claim.run(command, timeout_s=timeout_s)

    def engage(self, measure: Measure, *, wanted: Callable[[], bool] = always) -> None:
        """Write down how to undo ``measure``, make sure that this is on disk, and only then engage it.

        The first entry of a kind stays: it alone knows the state from before all changes. ``wanted`` is asked when
        nobody else can change anything any more; with ``False`` nothing happens.
        """
        with self._claim.held(self._patience_s):
            if not wanted():
                return
            known = self.pending()
            kinds = {undo.kind for undo in known}
            new = tuple(undo for undo in measure.plan() if undo.kind not in kinds)
            if new:
                self._write((*known, *new), self.holder)
            measure.engage()

    def replay(self, replayers: Mapping[str, Replay], *, only_of: str | None = None) -> Replayed:
        """Undo everything, the last change first. What fails stays in the file for the next time. Never raises.

        With ``only_of`` nothing happens if the last change was another holder's, who is still there to undo it.
        """
        try:
            with self._claimed_if_possible():
                return self._replay(replayers, only_of)
        except UserFacing as error:
            return Replayed(failed=(str(error),))

    def _replay(self, replayers: Mapping[str, Replay], only_of: str | None) -> Replayed:
        try:
            found = self._read()
        except OSError as error:
            _log.exception("the restore file can't be read")
            return Replayed(failed=(f"The restore file {self.path} can't be read ({error.strerror}).",))
        if only_of is not None and found.holder not in (only_of, NOBODY):
            return Replayed()
        # Whoever was killed in the middle of writing left it; what it speaks of was never done.
        with contextlib.suppress(OSError):
            self._draft.unlink(missing_ok=True)
        done, failed, left = [], [], []
        for undo in reversed(found.undos):
            problem = _replay(undo, replayers)
            if problem is None:
                done.append(undo.says)
            else:
                failed.append(f"{undo.says}: {problem}")
                left.append(undo)
        if found.damage:
            failed.append(self._set_aside(found.damage))
        self._keep(left[::-1], found)
        return Replayed(undone=tuple(done), failed=tuple(failed))

    @contextlib.contextmanager
    def _claimed_if_possible(self) -> Iterator[None]:
        """Hold the claim; do without where no file can be made, for then nobody can make a change either."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._claim.held(self._patience_s))
            except OSError as error:
                _log.info("undoing without a claim: %s", error)
            yield

    def _read(self) -> Ledger:
        try:
            return ledger.parse(self.path.read_bytes())
        except FileNotFoundError:
            return EMPTY

    def _keep(self, left: Sequence[Undo], found: Ledger) -> None:
        """Shorten the file to what is left. A file that can't be changed says too much, and that is harmless."""
        try:
            if left:
                self._write(left, found.holder)
            elif found is not EMPTY:
                self.path.unlink(missing_ok=True)
        except OSError:
            _log.exception("the restore file can't be shortened")

    def _set_aside(self, damage: str) -> str:
        """Keep a damaged file for whoever looks into it; return the sentence about it."""
        aside = self.path.with_suffix(".damaged")
        try:
            self.path.replace(aside)
        except OSError:
            _log.exception("the damaged restore file can't be moved")
            return f"The restore file {self.path} is damaged."
        _log.error("the restore file is damaged (%s) and was kept as %s", damage, aside)
        return f"The restore file is damaged and was kept as {aside}."

    def _write(self, undos: Sequence[Undo], holder: str) -> None:
        descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(ledger.write(undos, holder))
                file.flush()
                os.fsync(file.fileno())
            self._draft.replace(self.path)
        except BaseException:
            self._draft.unlink(missing_ok=True)
            raise
        _sync_folder(self.path.parent)


def _replay(undo: Undo, replayers: Mapping[str, Replay]) -> str | None:
    """Undo one change; return what went wrong, or ``None``."""
    replay = replayers.get(undo.kind)
    if replay is None:
        return f"this desktop does not know how to undo {undo.kind}"
    try:
        replay(undo.arguments)
    except FairlockError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  (one undo that fails must not keep the others from being undone)
        _log.exception("undoing %s failed", undo.kind)
        return f"{type(error).__name__}: {error}"
    return None


def _sync_folder(folder: Path) -> None:
    """Make the rename durable; Windows has no such call and needs none (the file itself is flushed)."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
