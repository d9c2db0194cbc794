"""What all tests share: an empty home of their own, and what a test may be skipped for."""

import gc
import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.postgres import Cluster
    from tests.s3_server import S3Server

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before anybody makes the application; a test with a display says so

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
def _frees_in_this_thread(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """Free what a test of Qt leaves where it was made, as ``app.shell.garbage`` does for the application."""
    if not {"qapp", "qtbot"} & set(request.fixturenames):
        yield
        return
    gc.disable()
    yield
    gc.collect(1)
    gc.enable()


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLOCK_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(autouse=True)
def _in_ordinary_time() -> Generator[None, None, None]:
    """See to it that no test makes this process, and all that is started after it, one that nobody interrupts."""
    policy = getattr(os, "sched_getscheduler", lambda _process: None)
    before = policy(0)
    yield
    assert policy(0) == before, "this thread has another scheduling policy after the test"


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of shared test media beside the checkout; tests that need it skip where it does not exist."""
    folder = Path(os.environ.get("FAIRLOCK_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared test media are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Generator["Cluster", None, None]:
    """The PostgreSQL that all tests of a run share."""
    from tests.postgres import running  # noqa: PLC0415  (only tests of the server pay for loading its driver)

    with running() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def s3_server() -> Generator["S3Server", None, None]:
    """The S3-compatible store that all tests of a run share."""
    from tests.s3_server import running  # noqa: PLC0415  (likewise)

    with running() as server:
        yield server
