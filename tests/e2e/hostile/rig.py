"""The test's side of the hostile browser: starts the child, gives it pages, asks what came of it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, TypeVar, cast

from tests.e2e.hostile.sites import Answer, ExamSite

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0
T = TypeVar("T")


class Rig:
    """One tab on one exam site."""

    def __init__(
        self,
        site: ExamSite,
        allow: Sequence[str] = (),
        without: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.site = site
        site.answers["/"] = Answer(body=b"<!doctype html><title>exam</title><p>Question 1</p>")
        options = json.dumps([site.origin, [site.origin, *allow], list(without)])
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.hostile.engine_child", options, *arguments],
            cwd=ROOT,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._asked, self._said = 0, b""
        try:
            assert self._answer() == "ready"
        except AssertionError:
            self.close()
            raise

    def ask(self, command: str, *arguments: object) -> Any:
        """Give a command and return its answer."""
        assert self._child.stdin is not None
        self._asked += 1
        self._child.stdin.write(json.dumps([self._asked, command, *arguments]) + "\n")
        self._child.stdin.flush()
        return self._answer()

    def show(self, html: str, path: str = "/attack", **answer: Any) -> bool:
        """Serve ``html`` at ``path`` and load it."""
        self.site.answers[path] = Answer(body=html.encode(), **answer)
        return bool(self.ask("load", f"{self.site.origin}{path}"))

    def home(self) -> None:
        """Load the exam's harmless page, and forget what was reported."""
        self.ask("load", f"{self.site.origin}/")
        self.ask("reports")

    def js(self, code: str) -> Any:
        """Run ``code`` in the page."""
        return self.ask("js", code)

    def wait_js(self, code: str, seconds: float = PATIENCE_S) -> Any:
        """Return what a promise comes to, or the name of its error as ``{"error": name}``."""
        fail = "e=>window.waited=JSON.stringify({error:e&&e.name||String(e)})"
        self.js(f"window.waited=null;(async()=>{{{code}}})().then(v=>window.waited=JSON.stringify(v??1),{fail});1")
        return json.loads(self.until(lambda: cast(str, self.js("window.waited")), seconds))

    def until(self, value: Callable[[], T], seconds: float = PATIENCE_S) -> T:
        """Ask again until ``value()`` is true, and return it."""
        end = time.monotonic() + seconds
        while True:
            got = value()
            if got:
                return got
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.01)

    def click(self, element: str, button: str = "left", modifier: str = "") -> None:
        """Click the middle of an element, once it has been painted."""
        self.wait_js("await new Promise(done=>requestAnimationFrame(()=>requestAnimationFrame(done)))")
        box = f"(b=>[b.x+b.width/2|0,b.y+b.height/2|0])(document.getElementById('{element}').getBoundingClientRect())"
        x, y = json.loads(self.js(f"JSON.stringify({box})"))
        self.ask("click", x, y, button, modifier)

    def close(self) -> None:
        """End the child."""
        with self._child:
            assert self._child.stdin is not None
            self._child.stdin.close()
            try:
                self._child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._child.kill()

    def _answer(self) -> Any:
        """Return the answer to the last question; late ones to earlier questions are dropped."""
        number, value = -1, None
        while number != self._asked:
            number, value = json.loads(self._line())
        return value

    def _line(self) -> bytes:
        """Return the next line; who waits for a pipe must not leave any of it in a reader's memory."""
        assert self._child.stdout is not None
        while b"\n" not in self._said:
            assert wait([self._child.stdout.fileno()], PATIENCE_S), "the tab does not answer"
            more = os.read(self._child.stdout.fileno(), 65_536)
            assert more, "the tab is gone"
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line


@contextmanager
def rig(
    site: ExamSite,
    allow: Sequence[str] = (),
    without: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[Rig]:
    """Run a tab on ``site``; see ``engine_child`` for ``without``."""
    made = Rig(site, allow, without, environment, arguments)
    try:
        yield made
    finally:
        made.close()
