"""One version, wherever it is named."""

import tomllib
from pathlib import Path

import pytest

from app.__main__ import main
from app.self_hash import self_hash
from app.version import VERSION

ROOT = Path(__file__).parents[2]


def test_the_package_has_the_programs_version() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_the_command_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fairlock {VERSION}\nself-hash {self_hash()}\n"
