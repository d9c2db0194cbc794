"""Whether everything that must hold before the exam opens does hold. Pure."""

from collections.abc import Collection, Mapping, Sequence

from app.contract.policy import Capability
from app.messages import Engaged, LockIs


class Lock:
    """Three must be ready: the recording, the guard and the window."""

    def __init__(self) -> None:
        self.recording = False
        self.window = False
        self.engaged: Engaged | None = None

    @property
    def is_complete(self) -> bool:
        """Whether all three have answered."""
        return self.recording and self.window and self.engaged is not None

    def missing(self, window: Mapping[str, str]) -> dict[str, str]:
        """Return what nobody holds, with reasons; ``window`` is what the window itself lacks."""
        return {**(self.engaged.missing if self.engaged is not None else {}), **window}


def standing(engaged: Engaged, held: Collection[str], missing: Mapping[str, str]) -> LockIs:
    """Return what the examiner is told: ``held`` is what the window holds, ``missing`` what nobody does."""
    holding = sorted({*engaged.holding, *held} - set(missing))
    return LockIs(
        tier=engaged.tier, platform=engaged.platform, holding=tuple(holding), missing=missing, doubts=engaged.doubts
    )


def required_of(missing: Mapping[str, str], required: Sequence[Capability]) -> dict[str, str]:
    """Return the part of ``missing`` without which the policy allows no exam."""
    return {name: reason for name, reason in missing.items() if name in set(required)}
