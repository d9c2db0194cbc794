"""Only the exam's own host can say which cookie the application runs under."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkCookie
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.shell.gate import Gate
from app.shell.profile import ExamProfile
from tests.unit.shell_parts import PATIENCE_MS, Site, site
from tests.unit.test_shell_page import Browser


@pytest.fixture
def exam_site() -> Iterator[Site]:
    with site() as served:
        yield served


def test_another_allowed_hosts_cookie_of_the_same_name_is_ignored(exam_site: Site, qtbot: QtBot) -> None:
    elsewhere = exam_site.origin.replace("127.0.0.1", "localhost")
    browser = Browser(qtbot, exam_site, allow=(elsewhere,))
    with qtbot.waitSignal(browser.tab.loaded, timeout=PATIENCE_MS):
        browser.page.load(QUrl(f"{elsewhere}/cookie"))
    qtbot.wait(500)  # a cookie is told of soon after its page
    assert browser.cookies == []
    browser.page.load(QUrl(f"{exam_site.origin}/cookie"))
    qtbot.waitUntil(lambda: browser.cookies == ["token-1"], timeout=PATIENCE_MS)
    browser.tab.dispose()
    browser.parent.deleteLater()


@pytest.mark.parametrize(
    ("name", "domain", "is_seen"),
    [
        (b"fairlock", "exam.example.org", True),
        (b"fairlock", ".exam.example.org", False),
        (b"fairlock", ".example.org", False),
        (b"fairlock", "library.example.org", False),
        (b"other", "exam.example.org", False),
    ],
)
def test_only_a_cookie_of_that_very_host_counts(qapp: QApplication, name: bytes, domain: str, is_seen: bool) -> None:
    entry = "https://Exam.example.org/enter?ticket=1"
    gate = Gate(allow=("https://*.example.org",), entry_url=entry, submit_url="https://exam.example.org/submit")
    seen: list[str] = []
    profile = ExamProfile(gate, lambda _kind, _facts: None, seen.append, entry_url=entry)
    cookie = QNetworkCookie(name, b"token")
    cookie.setDomain(domain)
    profile.cookieStore().cookieAdded.emit(cookie)
    assert seen == (["token"] if is_seen else [])
    profile.deleteLater()
    qapp.processEvents()
