"""The guard's duty when parts of it fail: what was changed is undone all the same, and what was not is said."""

import errno
import os
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract import schema
from app.contract.policy import Capability
from app.external import run_external
from app.guard.duty import Duty
from app.messages import Engage, Engaged, Released
from lockdown import select
from lockdown.capabilities import HeldByShell, Platform
from lockdown.fake import FakeDesktop, FakeMeasure, FakeTable
from lockdown.restore import RestoreFile
from tests.unit.shell_policies import POLICY

ORDER = Engage(policy=schema.dumps(POLICY).decode())
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Clinging(FakeMeasure):
    """A measure that fails to let go of what it holds in this process."""

    def release(self) -> None:
        raise ValueError("no connection")


class Rig:
    """A duty over a desktop made of memory; ``sent`` is what the shell would hear."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.desktop = FakeDesktop()
        self.released: list[str] = []
        keys, awake = Clinging(self.desktop, "keys"), FakeMeasure(self.desktop, "saver")
        patch.setattr(awake, "release", lambda: self.released.append("saver"))
        held_by_the_shell = {name: HeldByShell() for name in Capability}
        replayers = {"fake-keys": self.desktop.replay, "fake-saver": self.desktop.replay}
        offer = Platform(
            name="fake",
            tier="B",
            parts={**held_by_the_shell, Capability.INPUT_GUARD: keys, Capability.SLEEP_GUARD: awake},
            replayers=replayers,
            close=lambda: self.released.append("desktop"),
        )
        patch.setattr(select, "platform", lambda **_parts: offer)
        patch.setattr(select, "replayers", lambda _run: replayers)
        self.file = RestoreFile(folder / "restore.json")
        self.sent: list[object] = []
        self.duty = Duty(
            self.file,
            table=FakeTable(),
            clock=ManualClock(),
            run=run_external,
            own_root=1,
            send=self.sent.append,
            cancelled=lambda: False,
        )


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(tmp_path, monkeypatch)


def _refuse(*_arguments: object, **_options: object) -> None:
    raise FULL


def test_a_measure_that_fails_to_let_go_leaves_nothing_changed(rig: Rig) -> None:
    rig.duty.engage(ORDER)
    assert rig.desktop.settings == {"keys": "held", "saver": "held"}
    with pytest.raises(ValueError, match="no connection"):
        rig.duty.release()
    assert rig.desktop.settings == {"keys": "free", "saver": "free"}
    assert rig.released == ["saver", "desktop"]
    assert rig.sent[-1] == Released(undone=("saver set back", "keys set back"), failed=())


def test_with_a_full_disk_a_measure_is_missing_and_the_guard_lives(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.file, "_write", _refuse)
    rig.duty.engage(ORDER)
    (engaged,) = (message for message in rig.sent if isinstance(message, Engaged))
    assert engaged.holding == ()
    assert engaged.missing == dict.fromkeys(
        (Capability.INPUT_GUARD, Capability.SLEEP_GUARD), "It was not engaged: No space left on device."
    )
    assert rig.desktop.settings == {"keys": "free", "saver": "free"}


@pytest.mark.parametrize("what", ["unlink", "replace", "read_bytes"])
def test_replaying_never_raises(rig: Rig, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    rig.file.engage(FakeMeasure(rig.desktop, "keys"))
    if what == "replace":
        rig.file.path.write_bytes(b"damaged")
    monkeypatch.setattr(Path, what, _refuse)
    done = rig.file.replay({"fake-keys": rig.desktop.replay})
    assert done.undone or done.failed
    if what == "unlink":
        assert rig.desktop.settings["keys"] == "free"
