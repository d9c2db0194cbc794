"""Weights that were fetched in part are never found by the next run, let alone offered to be trusted."""

import hashlib
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training_parts import SCRIPTS, part

BODY = b"weights " * 50_000
DIGEST = hashlib.sha256(BODY).hexdigest()
BadData = part("refusals").BadData


def _fetch(address: str, target: Path) -> None:
    assert str(SCRIPTS) in sys.path
    script: Any = import_module("fetch_weights")
    script.fetch(address, target, DIGEST)


class _Handler(BaseHTTPRequestHandler):
    """Answers ``/whole`` with the file and ``/cut`` with a part of it."""

    def do_GET(self) -> None:
        body = {"/whole": BODY, "/cut": BODY[:100_000]}.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(BODY) if body else 0))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_what_was_cut_off_is_not_kept(server: str, tmp_path: Path) -> None:
    target = tmp_path / "build" / "yolo11n.pt"
    with pytest.raises(BadData, match="cut off, or changed on the way"):
        _fetch(f"{server}/cut", target)
    assert list(target.parent.iterdir()) == []
    _fetch(f"{server}/whole", target)
    assert target.read_bytes() == BODY
    assert list(target.parent.iterdir()) == [target]


def test_what_an_interrupted_run_left_is_fetched_anew(server: str, tmp_path: Path) -> None:
    target = tmp_path / "yolo11n.pt"
    target.write_bytes(BODY[:1000])
    _fetch(f"{server}/whole", target)
    assert target.read_bytes() == BODY
    assert (tmp_path / "yolo11n.pt.other").read_bytes() == BODY[:1000]


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    target = tmp_path / "yolo11n.pt"
    target.write_bytes(BODY)
    _fetch("http://127.0.0.1:9/nobody-listens", target)


def test_a_server_that_has_nothing_is_said(server: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"404.*Name a file"):
        _fetch(f"{server}/none", tmp_path / "yolo11n.pt")
    assert list(tmp_path.iterdir()) == []
