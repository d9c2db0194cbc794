"""Every desktop says something about every capability, and external programs and folders are used safely."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import external, paths
from app.clock import ManualClock
from app.contract.errors import Unsupported, UserFacing
from app.contract.policy import Capability
from lockdown import linux_wayland, select
from lockdown.capabilities import HeldByShell, Part, Platform
from lockdown.fake import FakeTable, FakeWatch
from lockdown.macos import desktop as macos
from lockdown.macos import functions as macos_functions
from lockdown.windows import desktop as windows
from lockdown.windows import functions as windows_functions


@contextmanager
def _platform(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[Platform]:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    platform = select.platform(
        run=external.run_external,
        table=FakeTable(),
        clock=ManualClock(),
        processes=FakeWatch(),
        is_own=lambda _pid: False,
    )
    yield platform
    platform.close()


@pytest.mark.skipif(select.system() != "linux", reason="sessions of three types exist on Linux only")
@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "linux-none"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "linux-wayland"),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, "linux-wayland"),
        ({"DISPLAY": ":987"}, "linux-x11"),
    ],
)
def test_the_session_decides_and_programs_are_watched_everywhere(
    environment: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _platform(monkeypatch, **environment) as platform:
        assert platform.name == name
        assert set(platform.parts) == set(Capability)
        assert Capability.PROCESS_WATCH not in platform.missing
        known = {Capability.CAPTURE_SHIELD: platform.missing[Capability.CAPTURE_SHIELD]}
        known = known if name == "linux-x11" else dict(platform.missing)
    assert {what: str(why) for what, why in select.absent().items()} == {what: str(why) for what, why in known.items()}


@pytest.mark.skipif(select.system() != "linux", reason="X11 is looked for on Linux only")
def test_a_display_that_is_not_there_is_a_reason_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    with _platform(monkeypatch, DISPLAY=":987") as platform:
        assert "X server can't be reached" in str(platform.missing[Capability.CLIPBOARD_GUARD])
        keys = platform.parts[Capability.INPUT_GUARD]
    assert isinstance(keys, HeldByShell)
    assert keys.limit


def test_what_wayland_denies_has_a_reason_and_a_way_out() -> None:
    denied = linux_wayland.parts().values()
    assert all(isinstance(part, Unsupported) and str(part).endswith(".") and part.advice for part in denied)


@pytest.mark.parametrize(
    "parts",
    [
        windows.parts(windows_functions.Functions(), FakeTable(), ManualClock(), lambda _pid: False),
        macos.parts(macos_functions.Functions(), FakeTable(), ManualClock(), lambda _pid: False),
    ],
    ids=["windows", "macos"],
)
def test_what_is_not_there_has_a_reason(parts: Mapping[Capability, Part]) -> None:
    assert set(parts) == set(Capability) - {Capability.PROCESS_WATCH}
    assert all(str(part).endswith(".") for part in parts.values() if isinstance(part, Unsupported))


def test_a_backend_that_forgets_a_capability_is_refused() -> None:
    with pytest.raises(ValueError, match="says nothing about"):
        Platform(name="x", tier="C", parts={})


def test_external_programs_get_a_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "QTWEBENGINE_CHROMIUM_FLAGS"):
        monkeypatch.setenv(name, "/nowhere")
    fake = tmp_path / "env"
    fake.write_text("#!/bin/sh\necho caught\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    done = external.run_external(["env"])
    assert done.status == 0
    names = {line.partition("=")[0] for line in done.output.splitlines()}
    assert names <= {*external.PASSED_ON, "PATH"}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no fixed folders for programs")
def test_a_program_that_the_system_lacks_is_not_taken_from_a_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "fairlock-no-such-program"
    fake.write_text("#!/bin/sh\necho caught\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(Unsupported, match="is missing"):
        external.run_external([fake.name])
    assert str(tmp_path) not in external.clean_environment()["PATH"]


def test_external_programs_that_lack_or_hang_are_unsupported() -> None:
    with pytest.raises(Unsupported, match="is missing"):
        external.run_external(["fairlock-no-such-program"])
    with pytest.raises(Unsupported, match="did not work"):
        external.run_external(["sleep", "60"], timeout_s=0.05)
    assert external.run_external(["cat"], text="grün").output == "grün"
    assert external.run_external(["false"]).status != 0


def test_folders_are_their_owners_alone() -> None:
    for folder in (paths.data_dir(), paths.cache_dir(), paths.runtime_dir()):
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o077 == 0
    paths.data_dir().chmod(0o755)
    assert paths.data_dir().stat().st_mode & 0o077 == 0


def test_a_folder_that_can_not_be_made_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(UserFacing, match=r"can't be used .* Make it writable"):
        paths.data_dir()
