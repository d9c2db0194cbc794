"""What keeps foreign code, flags and second instances out before Qt is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import launch
from app.contract.errors import UserFacing
from tests.unit.locked_folder import locked


@pytest.mark.parametrize(
    "name",
    [
        "QTWEBENGINE_REMOTE_DEBUGGING",
        "QTWEBENGINE_CHROMIUM_FLAGS",
        "QTWEBENGINE_DISABLE_SANDBOX",
        "QTWEBENGINEPROCESS_PATH",
        "QT_PLUGIN_PATH",
        "QT_LOGGING_RULES",
        "QML_IMPORT_TRACE",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "DYLD_INSERT_LIBRARIES",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "SSLKEYLOGFILE",
        "VK_ADD_LAYER_PATH",
        "GTK_MODULES",
        "qtwebengine_remote_debugging",
    ],
)
def test_variables_that_go(name: str) -> None:
    environment = {name: "x", "HOME": "/home/kim"}
    assert launch.scrub(environment) == (name,)
    assert environment == {"HOME": "/home/kim"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QT_SCALE_FACTOR", "2"),
        ("QT_LINUX_ACCESSIBILITY_ALWAYS_ON", "1"),
        ("QT_QPA_PLATFORM", "xcb"),
        ("PYTHONUNBUFFERED", "1"),
        ("DISPLAY", ":0"),
        ("PATH", "/usr/bin"),
    ],
)
def test_variables_that_stay(name: str, value: str) -> None:
    assert launch.scrub({name: value}) == ()


@pytest.mark.parametrize("value", ["vnc", "vnc:port=5900", "xcb:something", "minimal"])
def test_window_systems_that_show_the_exam_elsewhere(value: str) -> None:
    assert launch.scrub({"QT_QPA_PLATFORM": value}) == ("QT_QPA_PLATFORM",)


def test_no_message_bus_is_started_that_would_outlive_the_exam(tmp_path: Path) -> None:
    nowhere: dict[str, str] = {}
    launch.start_no_bus(nowhere)
    assert nowhere == {launch.BUS: launch.NO_BUS}
    (tmp_path / "bus").touch()
    for there in ({"XDG_RUNTIME_DIR": str(tmp_path)}, {launch.BUS: "unix:path=/run/bus"}):
        kept = dict(there)
        launch.start_no_bus(kept)
        assert kept == there


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has a runtime folder")
def test_another_users_runtime_folder_has_no_bus_for_us(tmp_path: Path) -> None:
    """As after ``su``, which keeps the variable."""
    environment = {"XDG_RUNTIME_DIR": str(tmp_path / "runtime")}
    with locked(tmp_path):
        launch.start_no_bus(environment)
    assert environment[launch.BUS] == launch.NO_BUS


def test_a_frozen_program_keeps_its_own_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", "/opt/fairlock/_internal", raising=False)
    assert launch.scrub({"LD_LIBRARY_PATH": "/opt/fairlock/_internal", "LD_LIBRARY_PATH_ORIG": "/usr/lib"}) == ()
    assert launch.scrub({"LD_LIBRARY_PATH": "/nowhere/evil"}) == ("LD_LIBRARY_PATH",)


@pytest.mark.parametrize(
    "argument",
    [
        "--no-sandbox",
        "--NO-SANDBOX",
        "--remote-debugging-port=9222",
        "--webEngineArgs",
        "--disable-web-security",
        "--use-fake-device-for-media-stream",
        "-platformpluginpath",
    ],
)
def test_arguments_for_the_engine_are_refused(argument: str) -> None:
    with pytest.raises(UserFacing) as caught:
        launch.check_arguments(["open", "fairlock://join", argument])
    assert caught.value.code == "E-ARGUMENT"


def test_a_link_is_no_engine_argument() -> None:
    launch.check_arguments(["open", "fairlock://join?server=https://x&exam=1&invite=abc&pin=d"])


def test_one_instance_per_folder(tmp_path: Path) -> None:
    with launch.single_instance(tmp_path):
        with pytest.raises(UserFacing) as caught, launch.single_instance(tmp_path):
            pass
        assert caught.value.code == "E-ALREADY-RUNNING"
    with launch.single_instance(tmp_path):
        pass


PROGRAM = """
import json, os, sys
from app import launch
from app.contract.errors import FairlockError
try:
    done = launch.prepare([])
except FairlockError as error:
    print(json.dumps([error.code]))
else:
    print(json.dumps([sorted(done.removed), [n for n in os.environ if n.startswith(("LD_", "PYTHON", "FAIRLOCK_R"))]]))
"""


def _run(program: str = PROGRAM, **variables: str) -> str:
    theirs = ("QT", "LD_", "PYTHON", "FAIRLOCK_R")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, **variables},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_the_program_starts_again_without_what_the_loader_used() -> None:
    assert _run(LD_LIBRARY_PATH="/nowhere", PYTHONPATH="/nowhere") == '[["LD_LIBRARY_PATH", "PYTHONPATH"], []]'


@pytest.mark.parametrize("mark", ["yes", "1:LD_PRELOAD", ",", ":", "LD_LIBRARY_PATH"])
def test_a_mark_of_another_process_means_nothing(mark: str) -> None:
    assert _run(LD_LIBRARY_PATH="/nowhere", FAIRLOCK_RESTARTED=mark) == '[["LD_LIBRARY_PATH"], []]'
    assert _run(FAIRLOCK_RESTARTED=mark) == "[[], []]"


def test_what_comes_back_after_the_second_start_is_refused() -> None:
    again = "import os\nos.environ['LD_PRELOAD_X'] = '1'\n" + PROGRAM
    assert _run(again) == '["E-ENVIRONMENT"]'


def test_only_root_runs_without_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    for user, sandbox in ((0, False), (1000, True)):
        # Its own environment: in that of the tests a loader's variable would start the whole run again.
        monkeypatch.setattr(os, "environ", {"HOME": "/home/kim"})
        monkeypatch.setattr(os, "geteuid", lambda user=user: user, raising=False)
        done = launch.prepare([])
        assert done.sandbox is sandbox
        assert (os.environ.get(launch.SANDBOX_OFF) == "1") is not sandbox
        assert ("sandbox" in launch.describe(done)) is not sandbox
