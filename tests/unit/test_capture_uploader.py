"""The uploader against a real HTTP server that drops connections, is busy, is away, and lies."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import SystemClock
from app.contract.errors import FairlockError, IntegrityError, Outcome, Retryable, UserFacing
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.records import FORMAT_VERSION, RECEIPT_TYPE, Receipt, Record
from app.contract.wire import RECORD_HEADER
from capture.uploader import MOST_TOLD, Uploader, receipt_verifier
from tests.unit.capture_parts import Workshop
from tests.xserver import wait_for

DEADLINE_S = 60.0
SERVER_KEY = Ed25519PrivateKey.generate()


class Server:
    """Takes segments over HTTP; ``faults`` are played in order, one per request, then it behaves."""

    def __init__(self, port: int = 0) -> None:
        self.stored: dict[bytes, bytes] = {}
        self.puts: Counter[bytes] = Counter()
        self.faults: list[str] = []
        self._lock = threading.Lock()
        self.http = self._listen(port)
        self.port = self.http.server_address[1]

    def _listen(self, port: int) -> ThreadingHTTPServer:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                outer.take(self)

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server

    def take(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            fault = self.faults.pop(0) if self.faults else ""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        token = request.headers[RECORD_HEADER]
        record = jws.unverified(Record, token)
        if fault == "drop":
            request.close_connection = True
        elif fault == "busy":
            self._answer(request, 503, "", {"Retry-After": "0"})
        elif fault == "conflict":
            self._answer(request, 409, "")
        elif sha256(body).digest() != record.digest:
            self._answer(request, 422, "")
        else:
            self._store(request, record, token, body, fault)

    def _store(self, request: BaseHTTPRequestHandler, record: Record, token: str, body: bytes, fault: str) -> None:
        digest = jws.digest(token)
        with self._lock:
            self.stored[digest] = body
            self.puts[digest] += 1
        if fault == "store-and-drop":  # stored, but the answer is lost: the client sends it again
            request.close_connection = True
            return
        key = Ed25519PrivateKey.generate() if fault == "forged" else SERVER_KEY
        receipt = Receipt(
            version=FORMAT_VERSION,
            session=record.session,
            record=digest,
            digest=record.digest,
            size=record.size,
            received_ms=1,
        )
        self._answer(request, 201, jws.sign(receipt, key, typ=RECEIPT_TYPE))

    def _answer(
        self, request: BaseHTTPRequestHandler, status: int, receipt: str, headers: dict[str, str] | None = None
    ) -> None:
        body = json.dumps({"receipt": receipt}).encode()
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def restart(self) -> None:
        self.http = self._listen(self.port)


class Transport:
    """The least client that a test needs; streams the file."""

    def __init__(self, port: int) -> None:
        self._port = port

    def put(self, record_jws: str, record: Record, path: Path) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE_S)
        try:
            with path.open("rb") as body:
                headers = {RECORD_HEADER: record_jws, "Content-Length": str(record.size)}
                connection.request("PUT", f"/{record.epoch}/{record.track}/{record.sequence}", body, headers)
                answer = connection.getresponse()
                text = answer.read()
        except (ConnectionError, http.client.HTTPException, TimeoutError) as error:
            raise Retryable(str(error)) from error
        finally:
            connection.close()
        if answer.status == 503:
            raise Retryable("busy", after_s=float(answer.headers["Retry-After"]))
        if answer.status == 409:
            raise IntegrityError(Outcome.RECORD_MISMATCH, "the server has another segment in this place")
        return str(json.loads(text)["receipt"])


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path, clock=SystemClock())
    yield made
    made.close()


def fill(workshop: Workshop, segments: int) -> None:
    segmenter = workshop.segmenter(Track.JOURNAL)
    for number in range(segments):
        segmenter.push_plain(bytes([number]) * 20_000, number * 1_000)
        segmenter.cut()


def uploader(workshop: Workshop, port: int, errors: list[FairlockError] | None = None) -> Uploader:
    made = Uploader(
        workshop.spool,
        Transport(port),
        receipt_verifier(SERVER_KEY.public_key()),
        workshop.clock,
        on_error=errors.append if errors is not None else None,
        first_wait_s=0.005,
    )
    made.start()
    return made


def test_everything_arrives_exactly_once_through_every_fault(workshop: Workshop, server: Server) -> None:
    fill(workshop, 30)
    server.faults = ["drop", "", "busy", "store-and-drop", "drop", "", "busy", "busy", "store-and-drop", "drop"]
    uploading = uploader(workshop, server.port)
    steps: list[tuple[int, int]] = []
    assert uploading.drain(DEADLINE_S, lambda sent, total: steps.append((sent, total)))
    assert uploading.stop(DEADLINE_S)
    assert set(server.stored) == {jws.digest(token) for _, token in workshop.closed}
    assert sum(server.puts.values()) == 32  # two answers were lost, so two were sent again
    assert steps[-1][0] == steps[-1][1] == sum(record.size for record, _ in workshop.closed)
    assert [sent for sent, _ in steps] == sorted(sent for sent, _ in steps)
    assert workshop.spool.pending() == []
    assert not list(workshop.spool.folder.glob("*.fls"))
    for _, token in workshop.closed:
        receipt = workshop.spool.receipt(jws.digest(token)) or ""
        jws.verify(Receipt, receipt, SERVER_KEY.public_key(), typ=RECEIPT_TYPE)


def test_it_waits_for_a_server_that_is_away_and_goes_on_when_it_is_back(workshop: Workshop, server: Server) -> None:
    server.stop()
    fill(workshop, 5)
    uploading = uploader(workshop, server.port)
    wait_for(lambda: uploading.online is False, "the first try")
    assert not uploading.drain(0.2, lambda *_: None)
    assert len(list(workshop.spool.folder.glob("*.fls"))) == 5
    server.restart()
    assert uploading.drain(DEADLINE_S, lambda *_: None)
    assert uploading.progress()[0] > 0
    assert uploading.stop(DEADLINE_S)


def test_what_a_killed_uploader_left_is_sent_by_the_next(tmp_path: Path, server: Server) -> None:
    workshop = Workshop(tmp_path, clock=SystemClock())
    fill(workshop, 3)
    tokens = {jws.digest(token) for _, token in workshop.closed}
    workshop.close()
    after = Workshop(tmp_path, clock=SystemClock(), epoch=1)
    uploading = uploader(after, server.port)
    assert uploading.drain(DEADLINE_S, lambda *_: None)
    assert uploading.stop(DEADLINE_S)
    assert set(server.stored) == tokens
    after.close()


def test_a_forged_receipt_frees_nothing(workshop: Workshop, server: Server) -> None:
    fill(workshop, 1)
    server.faults = ["forged", "forged"]
    errors: list[FairlockError] = []
    uploading = uploader(workshop, server.port, errors)
    assert uploading.drain(DEADLINE_S, lambda *_: None)
    assert uploading.stop(DEADLINE_S)
    assert {error.outcome for error in errors if isinstance(error, IntegrityError)} == {Outcome.UNKNOWN_KEY}
    assert len(errors) == 2
    assert sum(server.puts.values()) == 3


def test_a_receipt_for_another_segment_is_refused(workshop: Workshop) -> None:
    fill(workshop, 2)
    (first, _), (_, token) = workshop.closed
    receipt = Receipt(
        version=FORMAT_VERSION,
        session=first.session,
        record=jws.digest(token),
        digest=first.digest,
        size=first.size,
        received_ms=1,
    )
    signed = jws.sign(receipt, SERVER_KEY, typ=RECEIPT_TYPE)
    with pytest.raises(IntegrityError) as refused:
        receipt_verifier(SERVER_KEY.public_key())(signed, workshop.closed[0][1], first)
    assert refused.value.outcome is Outcome.BAD_RECEIPT


def test_a_conflict_is_told_set_aside_and_holds_nothing_up(workshop: Workshop, server: Server) -> None:
    fill(workshop, 4)
    server.faults = ["conflict"]
    errors: list[FairlockError] = []
    uploading = uploader(workshop, server.port, errors)
    assert not uploading.drain(DEADLINE_S, lambda *_: None)
    assert uploading.stop(DEADLINE_S)
    assert len(server.stored) == 3
    assert [type(error) for error in errors] == [IntegrityError]
    assert workshop.spool.totals().refused == 1
    assert len(list(workshop.spool.folder.glob("*.fls"))) == 1


def test_a_segment_deleted_behind_our_back_is_told(workshop: Workshop, server: Server) -> None:
    fill(workshop, 2)
    workshop.spool.pending()[0].path.unlink()
    errors: list[FairlockError] = []
    uploading = uploader(workshop, server.port, errors)
    assert not uploading.drain(DEADLINE_S, lambda *_: None)
    assert uploading.stop(DEADLINE_S)
    assert [error.outcome for error in errors if isinstance(error, IntegrityError)] == [Outcome.MISSING]
    assert len(server.stored) == 1


class Refusing:
    """Says a few times that the session is not known, then what ``after`` says."""

    def __init__(self, times: int, after: Transport) -> None:
        self.left, self._after = times, after

    def put(self, record_jws: str, record: Record, path: Path) -> str:
        self.left -= 1
        if self.left >= 0:
            raise UserFacing("The session is not known.", advice="Ask the examiner.", code="E-SESSION-UNKNOWN")
        return self._after.put(record_jws, record, path)


def test_what_a_person_must_mend_is_told_once_and_tried_again(workshop: Workshop, server: Server) -> None:
    fill(workshop, 1)
    errors: list[FairlockError] = []
    uploading = Uploader(
        workshop.spool,
        Refusing(4, Transport(server.port)),
        receipt_verifier(SERVER_KEY.public_key()),
        workshop.clock,
        on_error=errors.append,
        first_wait_s=0.005,
    )
    uploading.start()
    assert uploading.drain(DEADLINE_S, lambda *_: None)
    assert uploading.stop(DEADLINE_S)
    assert [error.code for error in errors] == ["E-SESSION-UNKNOWN"]


def test_a_server_with_ever_new_words_is_told_of_so_often_and_no_more(workshop: Workshop) -> None:
    class Inventive:
        times = 0

        def put(self, record_jws: str, record: Record, path: Path) -> str:
            self.times += 1
            raise UserFacing("No.", advice="", code=f"E-NO-{self.times}")

    fill(workshop, 1)
    errors: list[FairlockError] = []
    server = Inventive()
    uploading = Uploader(
        workshop.spool,
        server,
        receipt_verifier(SERVER_KEY.public_key()),
        workshop.clock,
        on_error=errors.append,
        first_wait_s=0,
    )
    for _ in range(3 * MOST_TOLD):
        assert uploading.attempt()
    assert server.times == 3 * MOST_TOLD
    assert [error.code for error in errors] == [f"E-NO-{number + 1}" for number in range(MOST_TOLD)]
