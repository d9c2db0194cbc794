"""What all tests share: an empty home, and no word from the caller's environment into the engine."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLOCK_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of shared test media beside the checkout; tests that need it skip where it does not exist."""
    folder = Path(os.environ.get("FAIRLOCK_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared test media are not beside this checkout")
    return folder
