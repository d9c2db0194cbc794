"""Whatever a server refuses with: the journal goes on, and joining and handing in end with a sentence."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app import messages as m
from app.channel import decode, encode
from app.contract.journal import EntryType
from app.contract.wire import ExamLink
from app.recorder import ending
from app.recorder.checks import _check
from app.recorder.journal import Journal
from app.recorder.options import RecorderOptions
from app.recorder.recorder import Recorder
from app.recorder.sources import Sources
from tests.unit.test_recorder_recording import DEADLINE_S, Bench

REFUSALS = [
    pytest.param(b'{"code":"E-NOT-ALLOWED","detail":"\\ud800"}', id="half-a-pair"),
    pytest.param(b'{"code":"E-\\udfff","detail":"\\u0007"}', id="half-a-pair-as-code"),
    pytest.param(b'{"code":"E-NOT-ALLOWED","detail":"%s"}' % (b"x" * 1_000_000), id="long"),
    pytest.param(b'{"code":"E-%s","detail":""}' % (b"X" * 1_000_000), id="long-code"),
]


@contextmanager
def refusing(said: bytes) -> Iterator[str]:
    """Refuse whatever is asked with ``said``; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(403)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_POST(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


class Telling:
    """A recorder, and what it tells the shell as the shell reads it."""

    def __init__(self, home: Path) -> None:
        self.said: list[object] = []
        self.recorder = Recorder(lambda message: self.said.append(decode(encode(message))), RecorderOptions(home=home))


@pytest.mark.parametrize("said", REFUSALS)
def test_the_journal_goes_on_after_a_refused_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    refused, note = threading.Event(), Journal.note

    def noting(journal: Journal, **facts: str) -> None:
        note(journal, **facts)
        if "upload" in facts:
            refused.set()

    monkeypatch.setattr(Journal, "note", noting)
    bench = Bench(tmp_path)
    with refusing(said) as bench.server:
        recording = bench.recording(Sources())
        recording.start()
        for _ in range(round(DEADLINE_S / 0.1)):
            recording.journal._segmenter.cut()  # so that there is something to send
            if refused.wait(0.1):
                break
        recording.journal.note(after="a phone")
        recording.stop()
        recording.close()
    notes = list(bench.journal(EntryType.NOTE))
    assert notes[-1] == {"after": "a phone"}
    (upload,) = (body for body in notes if "upload" in body)
    assert len(str(upload)) < 500
    assert bench.lost == []


@pytest.mark.parametrize("said", REFUSALS)
def test_joining_ends_with_a_sentence(tmp_path: Path, said: bytes) -> None:
    telling = Telling(tmp_path)
    with refusing(said) as server:
        link = ExamLink(server=server, exam="e", invite="i" * 22, pin="p" * 43)
        telling.recorder.handle(m.OpenLink(link=link.url(), program_token=bytes(32)))
    (told,) = telling.said
    assert isinstance(told, m.Refused)
    assert told.message.startswith("The server refused: ")
    assert len(told.message) + len(told.code) < 400


@pytest.mark.parametrize("said", REFUSALS)
def test_handing_in_ends_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(ending, "PAUSE_S", 0)
    bench, telling = Bench(tmp_path), Telling(tmp_path)
    with refusing(said) as bench.server:
        recording = bench.recording(Sources())
        monkeypatch.setattr(recording.uploader, "drain", lambda _deadline_s, _progress: True)
        telling.recorder._session._joined = recording._parts.joined
        telling.recorder._session._client = recording._parts.client
        telling.recorder._under_way.recording = recording
        recording.start()
        telling.recorder.handle(m.Finish(reason="submit"))
    told = telling.said[-1]
    assert isinstance(told, m.Flushed)
    assert not told.complete
    assert told.message.startswith("The server refused: ")
    assert len(told.message) < 400


def test_what_a_driver_says_in_a_check_can_be_told() -> None:
    def fail() -> str:
        raise RuntimeError("no device \udcff" + "x" * 10_000)

    told = _check("Camera", fail)
    assert decode(encode(told)) == told
    assert len(told.message) < 600
