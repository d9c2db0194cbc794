"""What packagers call a program on Linux, read from trees of files as packagers make them."""

import os
from pathlib import Path

import pytest

from lockdown.linux_programs import origin
from lockdown.linux_programs.origin import Origins, desktop_commands, flatpak_id
from lockdown.processes import Program
from lockdown.rule_lists import builtin_rules

RULES = builtin_rules("linux")


def _program(path: str, pid: int = 1 << 30) -> Program:
    return Program(pid=pid, parent=1, created=1.0, name="x", path=path, user="1000")


def _desktop(folder: Path, name: str, command: str) -> None:
    folder.mkdir(exist_ok=True)
    lines = ["[Desktop Action new]", "Exec=/bin/false", "[Desktop Entry]", "# Exec=/bin/true", f"Exec = {command}"]
    (folder / f"{name}.desktop").write_text("\n".join(lines))


@pytest.fixture
def applications(tmp_path: Path) -> Path:
    folder = tmp_path / "applications"
    _desktop(folder, "org.example.Sleeper", '/bin/sleep "60 s" %U')
    _desktop(folder, "org.example.Script", "bash -c 'something'")
    _desktop(folder, "org.example.Missing", "/opt/not/there")
    _desktop(folder, "org.example.Broken", 'a "quote is missing')
    (folder / "org.example.Empty.desktop").write_bytes(b"\xff\xfe no ini file")
    return folder


def test_a_desktop_file_names_the_program_it_starts_but_no_interpreter(applications: Path) -> None:
    origins = Origins(RULES, [applications])
    assert origins(_program(os.path.realpath("/bin/sleep"))).original_name == "org.example.Sleeper"
    assert origins(_program(os.path.realpath("/bin/bash"))).original_name == ""
    assert set(desktop_commands([applications])) == {"org.example.Sleeper", "org.example.Script"}


def test_a_snap_is_known_by_where_it_is_mounted(applications: Path) -> None:
    origins = Origins(RULES, [applications])
    assert origins(_program("/snap/firefox/4033/usr/lib/firefox/firefox")).original_name == "firefox"
    assert origins(_program("/home/me/snap/firefox/x")).original_name == ""


def test_an_appimage_is_known_by_the_desktop_file_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin, "_APPIMAGE", f"{tmp_path}/.mount_")
    mount = tmp_path / ".mount_lmstudAbC123"
    (mount / "usr/bin").mkdir(parents=True)
    (mount / "lm-studio.desktop").write_text("[Desktop Entry]\n")
    origins = Origins(RULES, [])
    assert origins(_program(f"{mount}/usr/bin/renamed")).original_name == "lm-studio"
    assert origins(_program(f"{tmp_path}/.mount_gone/x")).original_name == ""


def test_a_flatpak_is_known_by_the_file_in_its_sandbox(tmp_path: Path) -> None:
    info = tmp_path / ".flatpak-info"
    info.write_text("[Application]\nname=com.anydesk.Anydesk\nruntime=runtime/org.freedesktop.Platform/x86_64/24.08\n")
    assert flatpak_id(info) == "com.anydesk.Anydesk"
    assert flatpak_id(tmp_path / "missing") == ""


def test_a_process_outside_every_sandbox_has_no_flatpak_id() -> None:
    assert Origins(RULES, [])(_program("/usr/bin/python3", os.getpid())).original_name == ""
