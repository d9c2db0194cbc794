"""Drives the system's own Firefox over Marionette, its built-in protocol: JSON over a local socket, no driver needed.

Marionette: ``LENGTH:[0, id, command, parameters]`` there, ``LENGTH:[1, id, error, result]`` back
(firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from app.demo.processes import free_port

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
START_S, PATIENCE_S = 120.0, 60.0
PREFERENCES = {
    "media.autoplay.default": 0,
    "media.volume_scale": "0.0",
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    # Each load asks the server: what one test fetched must not be there for the next, which may have taken it away.
    "browser.cache.disk.enable": False,
    "browser.cache.memory.enable": False,
}


class Firefox:
    """One window of a headless Firefox."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._stream = line.makefile("rb")
        self._sent = 0
        self._read()  # its greeting
        self._ask("WebDriver:NewSession", capabilities={"alwaysMatch": {}})

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def go(self, url: str) -> None:
        """Open ``url`` and wait until it is loaded."""
        self._ask("WebDriver:Navigate", url=url)

    def run(self, script: str, *arguments: object) -> Any:
        """Run the body of a function in the page; return what it returns."""
        return self._ask("WebDriver:ExecuteScript", script=script, args=list(arguments), sandbox=None)["value"]

    def until(self, condition: str, *, within_s: float = PATIENCE_S) -> None:
        """Wait until an expression holds in the page."""
        deadline = time.monotonic() + within_s
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < deadline, (
                f"not within {within_s} s: {condition}\n{self.run('return document.body.innerText')[:800]}"
            )
            time.sleep(0.1)

    def _ask(self, command: str, **parameters: object) -> Any:
        self._sent += 1
        said = json.dumps([0, self._sent, command, parameters]).encode()
        self._line.sendall(b"%d:%s" % (len(said), said))
        _, number, error, result = self._read()
        assert number == self._sent
        assert error is None, error
        return result

    def _read(self) -> Any:
        digits = b""
        while (byte := self._stream.read(1)) != b":":
            assert byte, "Firefox hung up"
            digits += byte
        return json.loads(self._stream.read(int(digits)))


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Run a Firefox with a fresh profile in ``folder`` until the block ends."""
    assert FIREFOX is not None
    port = free_port()
    preferences = {**PREFERENCES, "marionette.port": port}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
    (folder / "user.js").write_text("".join(lines))
    command = [FIREFOX, "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    with (folder / "firefox.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            with _connected(port, process) as line, closing(Firefox(line)) as page:
                yield page
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()


def _connected(port: int, process: "subprocess.Popen[bytes]") -> socket.socket:
    deadline = time.monotonic() + START_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError:
            assert process.poll() is None, "Firefox did not start"
            assert time.monotonic() < deadline, "Firefox did not listen"
            time.sleep(0.2)
