"""Which detectors this session runs: found once, loaded once, named everywhere the session is shown.

Also how often they looked, as a line of the journal.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from app.contract.errors import UserFacing
from app.contract.policy import Detection
from app.models.fetch import obtain
from detectors.build import Detectors, build, wanted
from detectors.catalogue import Catalogue, Task, load_catalogue
from detectors.reached import Rates

_log = logging.getLogger("fairlock.recorder")


class DetectionChoice:
    """The detectors of a session; empty until ``prepare``."""

    def __init__(self) -> None:
        self._loaded = False
        self._refused: dict[str, str] = {}
        self.detectors = Detectors()

    @property
    def names(self) -> dict[str, str]:
        """Task to model, as the checks and the report show it."""
        return dict(self.detectors.names)

    @property
    def refused(self) -> Mapping[str, str]:
        """Task to what is wrong with its models, in sentences; also where another model serves the task."""
        return self._refused

    def prepare(self, policy: Detection) -> dict[str, str]:
        """Find and load the models that the policy wants, once; return their names by task."""
        if not self._loaded:
            catalogue = load_catalogue()
            files = self._at_hand(policy, catalogue)
            self.detectors = build(policy, files, catalogue)
            for task, refusal in self.detectors.refused.items():
                self._refused.setdefault(task, str(refusal))  # what the search said is more exact
            self._loaded = True
            for task, sentence in self._refused.items():
                _log.warning("%s: %s", task, sentence)
        return self.names

    def _at_hand(self, policy: Detection, catalogue: Catalogue) -> Mapping[str, Path]:
        """Return the files that are on this machine by model name, and keep what is wrong with the others."""
        files: dict[str, Path] = {}
        for task in wanted(policy):
            said: list[str] = []  # offline, the search speaks only of files that it refuses
            try:
                found = obtain(progress=said.append, offline=True, tasks=(task,), catalogue=catalogue)
            except UserFacing as refusal:
                if task is not Task.CLOSER:  # another model looks closer then, only slower
                    self._refuse(task, str(refusal))
                continue
            if said:
                self._refuse(task, " ".join(said))
            files.update({model.card.name: model.path for model in found.values()})
        return files

    def _refuse(self, task: Task, sentence: str) -> None:
        self._refused[task.value] = sentence


def rates_in_words(rates: Rates) -> Mapping[str, str]:
    """Return how often each detector looked, for a note in the journal."""
    looks = {f"looks_{name}": f"{reached:.1f}/s" for name, reached in rates.reached.items()}
    allowed = {f"allowed_{name}": f"{rate:.1f}/s" for name, rate in rates.allowed.items()}
    heard = {"sound_heard": f"{rates.heard:.0%}"} if rates.heard is not None else {}
    held = {"held_down_because": rates.why} if rates.why else {}
    core = {"core": f"{rates.core:.0%}", "rested": str(rates.rested), "seconds": f"{rates.seconds:.0f}"}
    return {**looks, **allowed, **heard, **core, **held}
