"""What all tests share: an empty home of their own, and what a test may be skipped for."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.postgres import postgres  # noqa: F401  (a fixture)
from tests.s3_server import s3_server  # noqa: F401  (a fixture)

# With FAIRLOCK_REQUIRE_ALL=1 a test may be skipped only for what no set-up can bring, known by these words: the shared
# media, a package registry, privileges, and a check that its case does not have.
FORGIVEN = ("shared", "registry", "more rights", "nothing to lose")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip for a missing program into a failure where everything is required."""
    report = yield
    required = os.environ.get("FAIRLOCK_REQUIRE_ALL") == "1"
    if required and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(words in reason for words in FORGIVEN):
            report.outcome = "failed"
            report.longrepr = f"FAIRLOCK_REQUIRE_ALL forbids this skip. {reason}"
    return report


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
