"""The write-ahead file of changes to take back: on disk before the change is made, gone after it is undone.

Used by the guard, by the next start and by ``fairlock restore``. If the power fails between two lines of this
module, the file says too much rather than too little: undoing twice, or undoing what was never done, is harmless,
because each replay function sets a state and does not toggle one.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.contract import schema
from app.contract.errors import FairlockError, IntegrityError, Outcome
from lockdown.capabilities import Measure, Replay, Undo

VERSION = 1
_log = logging.getLogger("fairlock.restore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The content of the file, in the order in which the changes were made."""

    undos: tuple[Undo, ...]
    version: int = VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What was undone and what could not be, as sentences."""

    undone: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class RestoreFile:
    """One file; used by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pending(self) -> tuple[Undo, ...]:
        """Return what is still to be undone; raises ``IntegrityError(BAD_FORMAT)`` for a damaged file."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        ledger = schema.loads(Ledger, data)
        if ledger.version != VERSION:
            raise IntegrityError(Outcome.BAD_FORMAT, f"version {ledger.version} of the restore file is not known")
        return ledger.undos

    def engage(self, measure: Measure) -> None:
        """Write down how to undo ``measure``, make sure that this is on disk, and only then engage it.

        The first entry of a kind stays: it alone knows the state from before all changes.
        """
        known = self.pending()
        kinds = {undo.kind for undo in known}
        new = tuple(undo for undo in measure.plan() if undo.kind not in kinds)
        if new:
            self._write((*known, *new))
        measure.engage()

    def replay(self, replayers: Mapping[str, Replay]) -> Replayed:
        """Undo everything, the last change first. What fails stays in the file for the next time. Never raises."""
        try:
            pending = self.pending()
        except IntegrityError as error:
            return self._set_aside(error)
        except OSError as error:
            _log.exception("the restore file can't be read")
            return Replayed(failed=(f"The restore file {self.path} can't be read ({error.strerror}).",))
        done, failed, left = [], [], []
        for undo in reversed(pending):
            problem = _replay(undo, replayers)
            if problem is None:
                done.append(undo.says)
            else:
                failed.append(f"{undo.says}: {problem}")
                left.append(undo)
        self._keep(left[::-1], pending)
        return Replayed(undone=tuple(done), failed=tuple(failed))

    def _keep(self, left: Sequence[Undo], pending: Sequence[Undo]) -> None:
        """Shorten the file to what is left. A file that can't be changed says too much, and that is harmless."""
        try:
            if left:
                self._write(left)
            elif pending:
                self.path.unlink(missing_ok=True)
        except OSError:
            _log.exception("the restore file can't be shortened")

    def _set_aside(self, error: IntegrityError) -> Replayed:
        aside = self.path.with_suffix(".damaged")
        try:
            self.path.replace(aside)
        except OSError:
            _log.exception("the damaged restore file can't be moved")
            return Replayed(failed=(f"The restore file {self.path} is damaged.",))
        _log.error("the restore file is damaged (%s) and was kept as %s", error, aside)
        return Replayed(failed=(f"The restore file is damaged and was kept as {aside}.",))

    def _write(self, undos: Sequence[Undo]) -> None:
        draft = self.path.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(schema.dumps(Ledger(undos=tuple(undos))))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except BaseException:
            draft.unlink(missing_ok=True)
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
