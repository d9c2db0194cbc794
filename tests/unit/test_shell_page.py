"""Every lock of the exam page, exercised for real in QtWebEngine against a local site that tries things."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QClipboard, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWebEngineCore import QWebEngineDownloadRequest, QWebEnginePage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.contract.incidents import IncidentKind
from app.shell.gate import Gate
from app.shell.kiosk import KeyGuard
from app.shell.tab import ExamTab
from tests.unit.shell_parts import PATIENCE_MS, Site, site

K = IncidentKind
NO_MODIFIER = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


class Answers:
    """Answers the page's questions at once."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def tell(self, words: str) -> None:
        self.heard.append(words)

    def confirm(self, words: str) -> bool:
        self.heard.append(words)
        return True

    def ask(self, words: str, value: str) -> str | None:
        self.heard.append(words)
        return value + "!"


class Browser:
    """A tab on the site, with what it reported."""

    def __init__(self, qtbot: QtBot, served: Site, allow: tuple[str, ...] = ()) -> None:
        self.qtbot = qtbot
        self.site = served
        self.parent = QWidget()
        self.parent.resize(900, 700)
        self.asker = Answers()
        gate = Gate(allow=(served.origin, *allow), entry_url=f"{served.origin}/", submit_url=f"{served.origin}/submit")
        self.tab = ExamTab(self.parent, gate=gate, asker=self.asker, entry_url=f"{served.origin}/")
        self.tab.view.resize(900, 700)
        self.incidents: list[tuple[IncidentKind, dict[str, str]]] = []
        self.cookies: list[str] = []
        self.submits: list[bool] = []
        self.visited: list[str] = []
        self.tab.incident.connect(lambda kind, facts: self.incidents.append((kind, facts)))
        self.tab.cookie_seen.connect(self.cookies.append)
        self.tab.visited.connect(self.visited.append)
        self.tab.submitted.connect(lambda: self.submits.append(True))
        self.parent.show()
        with qtbot.waitSignal(self.tab.loaded, timeout=PATIENCE_MS):
            self.tab.open()

    @property
    def page(self) -> QWebEnginePage:
        return self.tab.page

    @property
    def keyboard(self) -> QWidget:
        proxy = self.tab.view.focusProxy()
        assert proxy is not None
        return proxy

    def js(self, code: str) -> object:
        answers: list[object] = []
        self.page.runJavaScript(code, 0, answers.append)
        self.qtbot.waitUntil(lambda: bool(answers), timeout=PATIENCE_MS)
        return answers[0]

    def wait(self, code: str) -> object:
        """Return what a promise comes to, or the name of its error."""
        self.js(f"window.r=null;(async()=>{{{code}}})().then(v=>r=JSON.stringify(v??1),e=>r=JSON.stringify(e.name));1")
        self.qtbot.waitUntil(lambda: bool(self.js("r")), timeout=PATIENCE_MS)
        return json.loads(str(self.js("r")))

    def click(
        self,
        element: str,
        button: Qt.MouseButton = Qt.MouseButton.LeftButton,
        modifiers: Qt.KeyboardModifier = NO_MODIFIER,
    ) -> None:
        middle = "b=>JSON.stringify([b.x+b.width/2,b.y+b.height/2])"
        x, y = json.loads(str(self.js(f"({middle})(document.getElementById('{element}').getBoundingClientRect())")))
        QTest.mouseClick(self.keyboard, button, modifiers, QPoint(int(x), int(y)))

    def saw(self, kind: IncidentKind) -> dict[str, str]:
        """Wait for an incident of ``kind`` and return its facts."""
        self.qtbot.waitUntil(lambda: any(k is kind for k, _ in self.incidents), timeout=PATIENCE_MS)
        return next(facts for k, facts in self.incidents if k is kind)

    def stays(self) -> bool:
        return self.js("location.pathname+document.title") == "/exam"


@pytest.fixture
def browser(qtbot: QtBot) -> Iterator[Browser]:
    with site() as served:
        made = Browser(qtbot, served)
        yield made
        made.tab.dispose()
        shiboken6.delete(made.parent)


def test_the_profile_leaves_nothing(browser: Browser) -> None:
    assert browser.page.profile().isOffTheRecord()
    browser.page.load(QUrl(f"{browser.site.origin}/echo"))
    browser.qtbot.waitUntil(lambda: "User-Agent" in str(browser.js("document.body.innerText")), timeout=PATIENCE_MS)
    assert "Fairlock/1" in str(browser.js("document.body.innerText"))


@pytest.mark.parametrize(
    "address",
    ["http://example.org/", "file:///etc/passwd", "data:text/html,x", "chrome://version", "chrome://crash", "qrc:/x"],
)
def test_navigation_elsewhere(browser: Browser, address: str) -> None:
    browser.js(f"location.href='{address}';1")
    assert browser.stays()
    assert not browser.page.acceptNavigationRequest(
        QUrl(address), QWebEnginePage.NavigationType.NavigationTypeTyped, True
    )


def test_a_link_elsewhere_is_reported_without_its_query(browser: Browser) -> None:
    browser.js("document.getElementById('ext').href='http://example.org/path?secret=1';1")
    browser.click("ext")
    assert browser.saw(K.NAVIGATION_BLOCKED)["address"] == "http://example.org/path"
    assert browser.stays()


def test_a_redirect_elsewhere(browser: Browser) -> None:
    browser.click("gone")
    assert browser.saw(K.NAVIGATION_BLOCKED)["address"] == "http://example.org/away"


def test_addresses_of_the_page_itself_are_told_without_query_and_fragment(browser: Browser) -> None:
    origin = browser.site.origin
    assert set(browser.visited) == {f"{origin}/"}
    browser.js("location.href='/framed?name=kim#part';1")
    browser.qtbot.waitUntil(lambda: f"{origin}/framed" in browser.visited, timeout=PATIENCE_MS)
    browser.js("history.pushState(0,'','/step?answer=42');1")
    browser.qtbot.waitUntil(lambda: f"{origin}/step" in browser.visited, timeout=PATIENCE_MS)
    browser.js("location.href='/submit-refused?x=1';1")
    browser.qtbot.waitUntil(lambda: f"{origin}/submit-refused" in browser.visited, timeout=PATIENCE_MS)
    browser.js("location.href='http://example.org/away';1")
    browser.saw(K.NAVIGATION_BLOCKED)
    assert set(browser.visited) == {f"{origin}{path}" for path in ("/", "/framed", "/step", "/submit-refused")}


def test_view_source(browser: Browser) -> None:
    browser.js(f"location.href='view-source:{browser.site.origin}/';1")
    assert browser.stays()


@pytest.mark.parametrize(
    "code",
    [
        "return await fetch('http://ELSE/x',{mode:'no-cors'})",
        "return await new Promise((y,n)=>{const i=new Image();i.onload=()=>y('loaded');"
        "i.onerror=()=>n({name:'blocked'});i.src='http://ELSE/i.png'})",
        "return await new Promise((y,n)=>{const s=new WebSocket('ws://ELSE/');s.onopen=()=>y('open');"
        "s.onerror=()=>n({name:'blocked'})})",
        "return await new Promise((y,n)=>{const f=document.createElement('script');f.onload=()=>y('loaded');"
        "f.onerror=()=>n({name:'blocked'});f.src='http://ELSE/s.js';document.body.append(f)})",
        "const u=URL.createObjectURL(new Blob([`fetch('http://ELSE/w',{mode:'no-cors'}).then(()=>postMessage('loaded'),"
        "()=>postMessage('blocked'))`]));return await new Promise(y=>new Worker(u).onmessage=e=>y(e.data))",
        "navigator.sendBeacon('http://ELSE/b','answers');return 'blocked'",
    ],
    ids=["fetch", "picture", "web socket", "script", "worker", "beacon"],
)
def test_foreign_resources_are_never_asked_for(browser: Browser, code: str) -> None:
    with site() as elsewhere:
        answer = browser.wait(code.replace("ELSE", elsewhere.origin.removeprefix("http://")))
        assert answer in ("TypeError", "blocked")
        assert browser.saw(K.NAVIGATION_BLOCKED)["why"] == "not on the list"
        assert elsewhere.seen == []


def test_own_resources_load(browser: Browser) -> None:
    assert browser.wait("return (await fetch('/echo')).status") == 200


def test_frames_of_the_page_itself_work_and_data_frames_do_not(browser: Browser) -> None:
    browser.page.load(QUrl(f"{browser.site.origin}/framed"))
    browser.qtbot.waitUntil(lambda: browser.js("frames.length") == 2, timeout=PATIENCE_MS)
    browser.qtbot.waitUntil(
        lambda: browser.js("!!frames[0].document.getElementById('inner')") is True, timeout=PATIENCE_MS
    )
    assert browser.saw(K.NAVIGATION_BLOCKED)["why"] == "scheme"


def test_new_windows(browser: Browser) -> None:
    assert browser.js("window.open('/popup')===null") is True
    browser.click("pop")
    assert browser.saw(K.NAVIGATION_BLOCKED)["why"] == "new window"
    for modifier in (CONTROL, SHIFT):
        browser.click("ext", modifiers=modifier)
    browser.click("ext", Qt.MouseButton.MiddleButton)
    assert browser.stays()


def test_downloads(browser: Browser) -> None:
    states: list[QWebEngineDownloadRequest.DownloadState] = []
    browser.page.profile().downloadRequested.connect(lambda download: states.append(download.state()))
    browser.click("dl")
    assert browser.saw(K.DOWNLOAD_BLOCKED)["address"].endswith("/file.zip")
    browser.page.load(QUrl(f"{browser.site.origin}/file.zip"))
    browser.qtbot.waitUntil(lambda: len(states) == 2, timeout=PATIENCE_MS)
    assert browser.stays()
    assert states == [QWebEngineDownloadRequest.DownloadState.DownloadCancelled] * 2


def test_context_menu(browser: Browser, qapp: QApplication) -> None:
    browser.click("sel", Qt.MouseButton.RightButton)
    browser.qtbot.waitUntil(lambda: browser.js("log.length") == 1, timeout=PATIENCE_MS)
    assert qapp.activePopupWidget() is None
    assert [w for w in qapp.topLevelWidgets() if w.isVisible()] == [browser.parent]


def test_developer_keys_open_nothing(browser: Browser, qapp: QApplication) -> None:
    guard = KeyGuard()
    blocked: list[str] = []
    guard.blocked.connect(blocked.append)
    browser.tab.watch_keys(guard)
    for key, modifiers in (
        (Qt.Key.Key_F12, NO_MODIFIER),
        (Qt.Key.Key_I, CONTROL | SHIFT),
        (Qt.Key.Key_U, CONTROL),
        (Qt.Key.Key_N, CONTROL),
        (Qt.Key.Key_P, CONTROL),
    ):
        QTest.keyClick(browser.keyboard, key, modifiers)
    assert browser.stays()
    assert browser.page.devToolsPage() is None
    assert [w for w in qapp.topLevelWidgets() if w.isVisible()] == [browser.parent]
    assert {"F12", "Ctrl+Shift+I", "Ctrl+N", "Ctrl+P"} <= set(blocked)


def test_the_quit_keys(browser: Browser) -> None:
    guard = KeyGuard()
    browser.tab.watch_keys(guard)
    with browser.qtbot.waitSignal(guard.quit_pressed, timeout=PATIENCE_MS):
        QTest.keyClick(browser.keyboard, Qt.Key.Key_Q, CONTROL | SHIFT)


@pytest.mark.parametrize(
    "code",
    [
        "await navigator.mediaDevices.getUserMedia({video:true,audio:true})",
        "await navigator.mediaDevices.getDisplayMedia({video:true})",
        "return await new Promise((y,n)=>navigator.geolocation.getCurrentPosition(y,()=>n({name:'refused'})))",
        "await navigator.clipboard.readText()",
    ],
)
def test_permissions(browser: Browser, code: str) -> None:
    # 127.0.0.1 is a secure context, so that these exist at all.
    assert browser.wait(code) in ("NotAllowedError", "NotFoundError", "AbortError", "refused")


def test_a_denied_permission_is_reported(browser: Browser) -> None:
    browser.wait("return await new Promise((y,n)=>navigator.geolocation.getCurrentPosition(y,()=>n({name:'refused'})))")
    assert browser.saw(K.PERMISSION_DENIED)["permission"] == "Geolocation"


def another_program_copies(words: str) -> QClipboard:
    """Without a signal: what this program copies itself is taken away again."""
    clipboard = QGuiApplication.clipboard()
    clipboard.blockSignals(True)
    clipboard.setText(words)
    clipboard.blockSignals(False)
    return clipboard


def test_pasting_from_outside(browser: Browser) -> None:
    another_program_copies("from outside")
    browser.js("document.getElementById('q').focus();1")
    QTest.keyClick(browser.keyboard, Qt.Key.Key_V, CONTROL)
    assert browser.saw(K.CLIPBOARD) == {"blocked": "paste"}
    assert browser.js("document.getElementById('q').value") == ""


def test_copying_works_inside_and_leaves_nothing_outside(browser: Browser) -> None:
    clipboard = another_program_copies("before")
    browser.js("const f=document.getElementById('q');f.focus();f.value='my own words';f.select();1")
    QTest.keyClick(browser.keyboard, Qt.Key.Key_X, CONTROL)
    browser.qtbot.waitUntil(lambda: browser.js("document.getElementById('q').value") == "", timeout=PATIENCE_MS)
    assert clipboard.text() == "before"
    for _ in range(2):
        QTest.keyClick(browser.keyboard, Qt.Key.Key_V, CONTROL)
    browser.qtbot.waitUntil(
        lambda: browser.js("document.getElementById('q').value") == "my own wordsmy own words", timeout=PATIENCE_MS
    )
    assert not [kind for kind, _ in browser.incidents if kind is K.CLIPBOARD]


def test_middle_click_pastes_no_selection(browser: Browser) -> None:
    clipboard = QGuiApplication.clipboard()
    if clipboard.supportsSelection():
        clipboard.setText("selected elsewhere", QClipboard.Mode.Selection)
    browser.click("q", Qt.MouseButton.MiddleButton)
    assert browser.js("document.getElementById('q').value") == ""


def test_a_page_cannot_forge_a_clipboard_report(browser: Browser) -> None:
    browser.js("console.info('clipboard:paste');1")
    assert not browser.incidents


def test_a_self_signed_certificate(qtbot: QtBot, tmp_path: Path, browser: Browser) -> None:
    with site(tmp_path / "pair.pem") as secure:
        gate = Gate(allow=(secure.origin,), entry_url=f"{secure.origin}/", submit_url=f"{secure.origin}/submit")
        parent = QWidget()
        tab = ExamTab(parent, gate=gate, asker=Answers(), entry_url=f"{secure.origin}/")
        seen: list[IncidentKind] = []
        tab.incident.connect(lambda kind, _facts: seen.append(kind))
        with qtbot.waitSignal(tab.trouble, timeout=PATIENCE_MS) as trouble:
            tab.open()
        assert trouble.args == [True]
        assert K.CERTIFICATE_REFUSED in seen
        assert secure.seen == []
        tab.dispose()
        shiboken6.delete(parent)


def test_the_cookie_is_seen(browser: Browser) -> None:
    browser.page.load(QUrl(f"{browser.site.origin}/cookie"))
    browser.qtbot.waitUntil(lambda: browser.cookies == ["token-1"], timeout=PATIENCE_MS)


def test_submitting_counts_once_the_server_answered(browser: Browser) -> None:
    browser.click("out")
    browser.qtbot.waitUntil(lambda: bool(browser.submits), timeout=PATIENCE_MS)
    assert "/submit" in browser.site.seen


def test_submitting_through_a_redirect(browser: Browser) -> None:
    browser.page.load(QUrl(f"{browser.site.origin}/submit-then"))
    browser.qtbot.waitUntil(lambda: bool(browser.submits), timeout=PATIENCE_MS)
    assert [path for path in browser.site.seen if path != "/favicon.ico"] == ["/", "/submit-then", "/thanks"]


def test_submitting_without_loading_a_page(browser: Browser) -> None:
    browser.js("history.pushState({}, '', '/submit/done');1")
    browser.qtbot.waitUntil(lambda: bool(browser.submits), timeout=PATIENCE_MS)


def test_a_refused_submit_does_not_end_the_exam(browser: Browser) -> None:
    browser.page.load(QUrl(f"{browser.site.origin}/submit-refused"))
    browser.qtbot.waitUntil(lambda: browser.js("document.body.innerText.trim()") == "frozen", timeout=PATIENCE_MS)
    assert not browser.submits


def test_the_pages_questions_stay_in_the_window(browser: Browser, qapp: QApplication) -> None:
    assert browser.js("alert('a');[confirm('b'),prompt('c','d')].join()") == "true,d!"
    assert browser.asker.heard == ["a", "b", "c"]


def test_a_crashed_page_is_loaded_again(browser: Browser) -> None:
    with browser.qtbot.waitSignal(browser.tab.loaded, timeout=PATIENCE_MS):
        os.kill(browser.page.renderProcessPid(), signal.SIGKILL)
    assert browser.saw(K.PAGE_CRASHED)
    assert browser.stays()


def test_reloading_never_uses_the_entry_address_twice(browser: Browser) -> None:
    with browser.qtbot.waitSignal(browser.tab.loaded, timeout=PATIENCE_MS):
        browser.page.load(QUrl(f"{browser.site.origin}/cookie"))
    browser.site.seen.clear()
    with browser.qtbot.waitSignal(browser.tab.loaded, timeout=PATIENCE_MS):
        browser.tab.reload()
    pages = [path for path in browser.site.seen if path != "/favicon.ico"]  # asked for whenever the engine likes
    assert pages[0] == "/cookie"
