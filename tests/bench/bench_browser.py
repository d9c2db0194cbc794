"""The exam tab: what its fences cost an honest page, and how it stands a page that floods it. Linux only.

The peer is the same tab without any of our fences. Times are of the page's own clock: one fetch after another, so that
each row is the time of a single request to a site on this machine, with the web engine drawing by software.
"""

from tests.bench.table import Row
from tests.e2e.hostile.rig import Rig, rig
from tests.e2e.hostile.sites import Answer, exam_site

REQUESTS = 300
REFUSALS = 10_000
FENCES = ("navigation", "interceptor", "windows", "rule", "route")
PATIENCE_S = 300.0


def run() -> list[Row]:
    """Measure with fences and without."""
    with exam_site() as site:
        site.answers["/small"] = Answer(body=b"ok")
        with rig(site) as fenced, rig(site, without=FENCES) as bare:
            for tab in (fenced, bare):
                tab.home()
                _request_ms(tab)  # warm
            fenced_ms, bare_ms = _request_ms(fenced), _request_ms(bare)
            fenced.ask("reports")
            seconds = _refusals_s(fenced)
            incidents = len(fenced.ask("reports")["incidents"])
    return [
        Row("browser: one request of the exam page", fenced_ms, "ms", bare_ms, fenced_ms / bare_ms, "≤ 3"),
        Row("browser: requests refused", REFUSALS / seconds, "/s", None, None, ""),
        Row(f"browser: incidents of {REFUSALS:,} refusals", incidents, "", None, None, "≤ 20"),
    ]


def _request_ms(tab: Rig) -> float:
    loop = f"for(let n=0;n<{REQUESTS};n++)await (await fetch('/small?'+n)).text()"
    return float(tab.wait_js(f"const t=performance.now();{loop};return performance.now()-t", PATIENCE_S)) / REQUESTS


def _refusals_s(tab: Rig) -> float:
    asked = f"Array.from({{length:{REFUSALS}}},(_,n)=>fetch('http://127.0.0.2/'+n,{{mode:'no-cors'}}).catch(()=>0))"
    code = f"const t=performance.now();await Promise.all({asked});return performance.now()-t"
    return float(tab.wait_js(code, PATIENCE_S)) / 1000
