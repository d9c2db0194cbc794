"""What else a page could open, save, print, ask for or read, tried in the real engine; and what an exam may do."""

import socket
from collections.abc import Callable, Iterator

import pytest

from app.contract.incidents import IncidentKind
from tests.e2e.hostile.documents import film, sheet
from tests.e2e.hostile.rig import Rig, rig
from tests.e2e.hostile.sites import EXAM_HOST, OTHER_HOST, Answer, ExamSite, Stranger, exam_site, stranger
from tests.xserver import x11_desktop

K = IncidentKind
FLOOD = 1_000
SAVE, PRINT = (695, 28), (732, 28)
"""Where the PDF viewer of this engine has its buttons, in a window of 800 x 600."""


@pytest.fixture(scope="module")
def site() -> Iterator[ExamSite]:
    with exam_site() as served:
        served.answers["/sheet.pdf"] = Answer(kind="application/pdf", body=sheet())
        served.answers["/film.webm"] = Answer(kind="video/webm", body=film())
        yield served


@pytest.fixture(scope="module")
def tab(site: ExamSite) -> Iterator[Rig]:
    with rig(site) as made:
        yield made


@pytest.fixture
def far() -> Iterator[Stranger]:
    with stranger(OTHER_HOST) as listening:
        yield listening


def incidents(tab: Rig) -> list[tuple[str, dict[str, str]]]:
    """What was reported since it was last asked."""
    return [(kind, facts) for kind, facts in tab.ask("reports")["incidents"]]


def saw(tab: Rig, kind: IncidentKind) -> dict[str, str]:
    """Wait for an incident of ``kind`` and return its facts."""
    return tab.until(lambda: next((facts for name, facts in incidents(tab) if name == kind.value), None)) or {}


def nothing_opened(tab: Rig) -> None:
    state = tab.ask("state")
    assert (state["windows"], state["opened"]) == (["QWidget"], [])
    assert state["url"].startswith((f"{tab.site.origin}/", "about:blank"))


# --- addresses that are none -----------------------------------------------------------------------------------------


_TRY_IN_THE_PAGE = """
const put = (tag, more) => document.body.appendChild(Object.assign(document.createElement(tag), more));
put('iframe', {src: to}); put('embed', {src: to}); put('form', {action: to, target: 'n'}).submit(); window.open(to); 1
"""
_SHOWN_IN_FRAMES = """
await new Promise(done => setTimeout(done, 50));
const words = ({document}) => document.title + document.body.innerText;
const shown = frame => { try { return words(frame) } catch { return 'foreign' } };
return [...Array(frames.length).keys()].map(place => shown(frames[place])).join('')
"""


@pytest.mark.parametrize(
    "address",
    [
        "data:text/html,<title>escaped</title>",
        "blob:",
        "file:///etc/passwd",
        "view-source:/",
        "chrome://version",
        "chrome://gpu",
        "devtools://devtools/bundled/inspector.html",
        "chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai/index.html",
        "about:version",
        "filesystem:http://127.0.0.1/temporary/x",
        "ftp://127.0.0.1/x",
        "qrc:/x",
        "mailto:friend@example.org",
        "tel:123",
        "zoommtg://join",
        "vscode://open",
    ],
)
def test_an_address_of_another_kind_opens_nothing(tab: Rig, address: str) -> None:
    made = "URL.createObjectURL(new Blob(['<title>escaped</title>'],{type:'text/html'}))" if address == "blob:" else ""
    tab.show("<!doctype html><title>exam</title><body><iframe name=n></iframe>")
    tab.js(f"const to={made or repr(address)};{_TRY_IN_THE_PAGE}")
    assert tab.wait_js(_SHOWN_IN_FRAMES) == ""
    assert tab.js("document.title") == "exam"
    nothing_opened(tab)
    tab.js("location.href=to;1")
    tab.js("1")
    nothing_opened(tab)


def test_a_script_as_an_address_is_only_a_script(tab: Rig) -> None:
    """Exam pages use ``href="javascript:..."``; it can do what any script of the page can, and stays in it."""
    tab.show("<!doctype html><title>exam</title>")
    tab.js("location.href='javascript:void(document.title=\"changed\")';1")
    tab.until(lambda: tab.js("document.title") == "changed")
    nothing_opened(tab)


def test_pictures_and_media_made_by_the_page_work(tab: Rig) -> None:
    tab.show("<!doctype html><body>")
    made = (
        "const c=document.createElement('canvas');c.width=c.height=3;const load=url=>new Promise((yes,no)=>"
        "{const i=new Image();i.onload=()=>yes(i.width);i.onerror=no;i.src=url});"
        "const b=URL.createObjectURL(await new Promise(y=>c.toBlob(y)));"
        "return [await load(c.toDataURL()),await load(b)]"
    )
    assert tab.wait_js(made) == [3, 3]


# --- what a page asks for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "permission"),
    [
        ("window.print()", "print"),
        ("document.execCommand('print')", "print"),
        ("navigator.mediaDevices.getDisplayMedia({video:true}).catch(()=>0)", "screen"),
        ("document.body.requestPointerLock().catch(()=>0)", "MouseLock"),
        ("navigator.geolocation.getCurrentPosition(()=>0)", "Geolocation"),
        ("navigator.clipboard.writeText('x').catch(()=>0)", "ClipboardReadWrite"),
        ("navigator.registerProtocolHandler('web+x',location.origin+'/%s')", "protocol handler"),
        ("Object.assign(document.createElement('input'),{type:'file'}).click()", "files"),
        ("Object.assign(document.createElement('input'),{type:'file',webkitdirectory:true}).click()", "files"),
        ("const i=document.createElement('input');i.type='color';document.body.append(i);i.showPicker()", "dialog"),
    ],
)
def test_what_is_asked_for_is_refused_and_reported(tab: Rig, code: str, permission: str) -> None:
    tab.show("<!doctype html><body><button id=target style='width:300px;height:200px'>go</button>")
    tab.ask("reports")
    tab.js(f"target.onclick=()=>{{{code}}};1")
    tab.click("target")
    assert saw(tab, K.PERMISSION_DENIED)["permission"] == permission
    tab.until(lambda: tab.ask("state")["windows"] == ["QWidget"])


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("await navigator.mediaDevices.getDisplayMedia({video:true})", "AbortError"),
        ("await navigator.mediaDevices.getUserMedia({video:true,audio:true})", "NotFoundError"),
        ("await new Promise((y,n)=>navigator.geolocation.getCurrentPosition(y,()=>n({name:'refused'})))", "refused"),
        ("await navigator.clipboard.readText()", "NotAllowedError"),
        ("await navigator.clipboard.writeText('x')", "NotAllowedError"),
        ("await navigator.clipboard.read()", "NotAllowedError"),
        ("await navigator.requestMIDIAccess()", "NotAllowedError"),
        ("await navigator.requestMIDIAccess({sysex:true})", "NotAllowedError"),
        ("await navigator.hid.requestDevice({filters:[]})", "TypeError"),
        ("await navigator.serial.requestPort()", "TypeError"),
        ("await navigator.usb.requestDevice({filters:[]})", "TypeError"),
        ("await navigator.bluetooth.requestDevice({acceptAllDevices:true})", "TypeError"),
        ("await Notification.requestPermission()", "ReferenceError"),
        ("await document.body.requestFullscreen()", "TypeError"),
        ("await document.body.requestPointerLock()", "SecurityError"),
        ("await navigator.wakeLock.request('screen')", "NotAllowedError"),
        ("if((await IdleDetector.requestPermission())==='denied')throw {name:'denied'}", "denied"),
        ("await queryLocalFonts()", "ReferenceError"),
        ("await getScreenDetails()", "NotAllowedError"),
        ("await showOpenFilePicker()", "ReferenceError"),
        ("await showSaveFilePicker()", "ReferenceError"),
        ("await showDirectoryPicker()", "ReferenceError"),
        ("await documentPictureInPicture.requestWindow()", "ReferenceError"),
        ("await new PresentationRequest(['http://127.0.0.2/']).start()", "ReferenceError"),
        ("new SpeechRecognition().start()", "ReferenceError"),
        ("await navigator.credentials.get({identity:{providers:[]}})", "TypeError"),
        ("await navigator.joinAdInterestGroup({},1)", "TypeError"),
        ("fetchLater('http://127.0.0.2/')", "ReferenceError"),
        ("if(!await navigator.storage.persist())throw {name:'denied'}", "denied"),
    ],
)
def test_a_permission(tab: Rig, code: str, answer: str) -> None:
    tab.show("<!doctype html><body><button id=target style='width:300px;height:200px'>go</button>")
    fail = "e=>window.said=e&&e.name||String(e)"
    tab.js(f"target.onclick=()=>{{(async()=>{{{code}}})().then(()=>window.said='allowed',{fail})}};1")
    tab.click("target")
    assert tab.until(lambda: tab.js("window.said")) == answer
    nothing_opened(tab)


@pytest.mark.parametrize("source", ["'data:text/plain,x'", "URL.createObjectURL(new Blob(['x']))", "'/film.webm'"])
def test_nothing_is_saved(tab: Rig, source: str) -> None:
    tab.show("<!doctype html><body>")
    tab.ask("reports")
    tab.js(f"Object.assign(document.createElement('a'),{{href:{source},download:'x.txt'}}).click();1")
    assert saw(tab, K.DOWNLOAD_BLOCKED)
    nothing_opened(tab)


@pytest.mark.parametrize("key", ["P", "S", "O", "U", "J", "H", "F"])
def test_keys_of_a_browser_open_nothing(tab: Rig, key: str) -> None:
    tab.show("<!doctype html><body><input id=target>")
    tab.click("target")
    tab.ask("key", key, "ctrl")
    tab.js("1")
    nothing_opened(tab)


@pytest.mark.parametrize("address", ["mailto:friend@example.org", "qrc:/x", "http://127.0.0.2/"])
def test_a_refused_address_does_not_take_the_clipboard_lock_away(tab: Rig, address: str) -> None:
    tab.show("<!doctype html><body>")
    tab.wait_js(f"location.href={address!r};await new Promise(done=>setTimeout(done,50))")
    tab.show("<!doctype html><body><p id=words>words</p>")
    copied = (
        "const e=new ClipboardEvent('copy',{bubbles:true,cancelable:true});words.dispatchEvent(e);e.defaultPrevented"
    )
    assert tab.js(copied) is True


def test_a_selection_a_link_and_a_picture_cannot_be_dragged_out_but_an_answer_can_be_dragged(tab: Rig) -> None:
    tab.show("<!doctype html><body><p id=words>words</p><a id=link href=/>x</a><b id=answer draggable=true>4</b>")
    tried = (
        "['words','link','answer'].map(id=>{const e=new DragEvent('dragstart',{bubbles:true,cancelable:true});"
        "document.getElementById(id).dispatchEvent(e);return e.defaultPrevented})"
    )
    assert tab.js(f"JSON.stringify({tried})") == "[true,true,false]"


# --- what an exam may do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["", "<iframe src=/sheet.pdf width=700 height=500></iframe>"])
def test_a_pdf_is_shown(tab: Rig, tag: str) -> None:
    tab.ask("reports")
    if tag:
        tab.show(tag)
    else:
        tab.ask("load", f"{tab.site.origin}/sheet.pdf")
    tab.until(lambda: tab.ask("colours").get("#ff0000", 0) > 5)
    assert not incidents(tab)
    nothing_opened(tab)


def _open_pdf(tab: Rig, body: bytes) -> None:
    tab.site.answers["/other.pdf"] = Answer(kind="application/pdf", body=body)
    tab.ask("load", f"{tab.site.origin}/other.pdf")
    tab.until(lambda: tab.ask("colours").get("#ff0000", 0) > 5)
    tab.ask("reports")


def test_a_link_in_a_pdf(tab: Rig, far: Stranger) -> None:
    _open_pdf(tab, sheet(link=f"http://{far.place}/"))
    tab.until(lambda: tab.ask("click", 400, 400, "left", "") or incidents(tab))
    nothing_opened(tab)
    assert far.arrivals == []


def test_what_a_pdf_does_when_it_opens(tab: Rig, far: Stranger) -> None:
    actions = (
        "/S /URI /URI (http://PLACE/)",
        "/S /SubmitForm /F (http://PLACE/)",
        "/S /GoToR /F (http://PLACE/x.pdf) /D [0 /Fit]",
        "/S /Launch /F (/usr/bin/xterm)",
        "/S /JavaScript /JS (app.launchURL('http://PLACE/');this.submitForm('http://PLACE/');this.print())",
    )
    for number, action in enumerate(actions):
        body = sheet(action=action.replace("PLACE", far.place))
        tab.site.answers[f"/{number}.pdf"] = Answer(kind="application/pdf", body=body)
    tab.show("".join(f"<iframe src=/{n}.pdf#toolbar=0 width=240 height=260></iframe>" for n in range(len(actions))))
    tab.until(lambda: tab.ask("colours").get("#ff0000", 0) > 10)
    nothing_opened(tab)
    assert far.arrivals == []


def test_the_buttons_of_the_pdf_viewer_save_and_print_nothing(tab: Rig) -> None:
    _open_pdf(tab, sheet())
    _press(tab, SAVE, lambda kind, _: kind == K.DOWNLOAD_BLOCKED.value)
    _press(tab, PRINT, lambda _, told: told.get("permission") == "print")
    nothing_opened(tab)


def _press(tab: Rig, button: tuple[int, int], wanted: Callable[[str, dict[str, str]], bool]) -> None:
    """Press until `wanted` is reported: the buttons come a little later than the page, a report later than its press.

    Reports of another kind are passed over: a slow machine still brings those of the button pressed before.
    """

    def press() -> bool:
        tab.ask("click", *button, "left", "")
        return any(wanted(*reported) for reported in incidents(tab))

    tab.until(press)


def test_what_is_copied_in_a_pdf_leaves_nothing_in_the_clipboard(site: ExamSite) -> None:
    with x11_desktop("800x600x24") as desktop:
        environment = {**desktop.environment, "QT_QPA_PLATFORM": "xcb"}
        with rig(site, environment=environment) as tab:
            _open_pdf(tab, sheet())
            tab.ask("click", 400, 150, "left", "")
            tab.ask("key", "A", "ctrl")
            tab.until(lambda: tab.ask("key", "C", "ctrl") or incidents(tab))
            assert tab.ask("clipboard", None) == ""


def test_a_film_with_sound_plays(tab: Rig) -> None:
    tab.show("<!doctype html><body style='margin:0'><video id=v src=/film.webm width=800 height=600 muted></video>")
    playing = (
        "v.play();await new Promise(y=>v.ontimeupdate=()=>v.currentTime>0.2&&y());return [v.videoWidth,v.videoHeight]"
    )
    assert tab.wait_js(playing) == [160, 120]
    tab.until(lambda: any(_is_green(name) for name in tab.ask("colours")))


def _is_green(colour: str) -> bool:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return green > 150 and max(red, blue) < 60


# --- what is written down --------------------------------------------------------------------------------------------


def test_a_flood_of_refusals_makes_few_incidents_with_a_count(tab: Rig, far: Stranger) -> None:
    tab.show("<!doctype html><body>")
    tab.ask("reports")
    many = f"Promise.all(Array.from({{length:{FLOOD}}},(_,n)=>fetch('http://{far.place}/'+n,{{mode:'no-cors'}}).catch(()=>n)))"
    assert tab.wait_js(f"return (await {many}).length", 60) == FLOOD
    found = incidents(tab)
    assert len(found) < 6
    assert sum(int(facts.get("count", "1")) for _, facts in found) == FLOOD
    assert far.arrivals == []


def test_frames_are_among_the_addresses_visited(tab: Rig) -> None:
    tab.site.answers["/part"] = Answer(body=b"part")
    tab.ask("reports")
    tab.show(
        "<iframe src='/part?name=kim#x'></iframe><iframe srcdoc=x></iframe><iframe src='http://127.0.0.2/'></iframe>"
    )
    tab.wait_js(
        "while(frames.length<3||frames[0].document.readyState!='complete')await new Promise(y=>setTimeout(y,9))"
    )
    assert set(tab.ask("reports")["visited"]) == {f"{tab.site.origin}/part", f"{tab.site.origin}/attack"}


# --- names, proxies, and the start -----------------------------------------------------------------------------------


def test_a_wildcard_means_the_hosts_below(site: ExamSite) -> None:
    port = site.server_address[1]
    site.answers["/below"] = Answer(body=b"below")
    with rig(site, allow=(f"http://*.exam.localhost:{port}",), without=("navigation", "interceptor")) as tab:
        assert tab.ask("load", f"http://a.b.exam.localhost:{port}/below")
        assert not tab.ask("load", f"http://exam.localhost:{port}/below")
        assert not tab.ask("load", f"http://other.localhost:{port}/below")


def test_a_proxy_of_the_computer_carries_the_exam_and_nothing_else(site: ExamSite, far: Stranger) -> None:
    with stranger("127.0.0.3") as proxy:
        environment = {"http_proxy": f"http://{proxy.place}", "no_proxy": EXAM_HOST}
        with rig(site, allow=("http://exam.test",), environment=environment) as tab:
            assert tab.ask("load", "http://exam.test/question")
            sockets = f"for(const at of ['other.test','{far.place}','exam.test'])new WebSocket('ws://'+at+'/')"
            tab.show(f"<script>new SharedWorker(URL.createObjectURL(new Blob([`{sockets}`])))</script>")
            tab.until(lambda: any(first.startswith(b"CONNECT exam.test:80") for first in proxy.arrivals))
        assert not [first for first in proxy.arrivals if b"exam.test" not in first]
        assert far.arrivals == []


def _free_port() -> int:
    with socket.create_server((EXAM_HOST, 0)) as found:
        return int(found.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((EXAM_HOST, port)) == 0


@pytest.mark.parametrize("variable", ["QTWEBENGINE_REMOTE_DEBUGGING", "QTWEBENGINE_CHROMIUM_FLAGS"])
def test_a_variable_opens_no_door_for_developer_tools(site: ExamSite, variable: str) -> None:
    port = _free_port()
    value = f"--remote-debugging-port={port}" if variable.endswith("FLAGS") else str(port)
    with rig(site, environment={variable: value}) as tab:
        tab.home()
        assert not _listens(port)


def test_without_a_clean_start_the_door_would_be_open(site: ExamSite) -> None:
    port = _free_port()
    with rig(site, without=("launch",), environment={"QTWEBENGINE_REMOTE_DEBUGGING": str(port)}) as tab:
        tab.home()
        assert _listens(port)


def test_an_argument_for_the_engine_keeps_the_tab_from_starting(site: ExamSite) -> None:
    with pytest.raises(AssertionError, match="the tab is gone"):
        rig(site, arguments=("--webEngineArgs", "--remote-debugging-port=9")).__enter__()
