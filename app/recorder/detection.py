"""Which detectors this session runs: found once, loaded once, named everywhere the session is shown."""

import logging
from collections.abc import Mapping
from pathlib import Path

from app.contract.errors import UserFacing
from app.contract.policy import Detection
from app.models.fetch import obtain
from detectors.build import Detectors, build, wanted
from detectors.catalogue import load_catalogue

_log = logging.getLogger("fairlock.recorder")


class DetectionChoice:
    """The detectors of a session; empty until ``prepare``."""

    def __init__(self) -> None:
        self._loaded = False
        self.detectors = Detectors()

    @property
    def names(self) -> dict[str, str]:
        """Task to model, as the checks and the report show it."""
        return dict(self.detectors.names)

    def prepare(self, policy: Detection) -> dict[str, str]:
        """Find and load the models that the policy wants, once; return their names by task."""
        if not self._loaded:
            self.detectors = build(policy, _at_hand(policy), load_catalogue())
            self._loaded = True
            for task, refusal in self.detectors.refused.items():
                _log.warning("%s: %s", task, refusal)
        return self.names


def _at_hand(policy: Detection) -> Mapping[str, Path]:
    """Return the files that are on this machine by model name; what is missing is named by ``build``."""
    files: dict[str, Path] = {}
    for task in wanted(policy):
        try:
            found = obtain(progress=_log.info, offline=True, tasks=(task,))
        except UserFacing as refusal:
            _log.warning("%s: %s", task, refusal)
            continue
        files.update({model.card.name: model.path for model in found.values()})
    return files
