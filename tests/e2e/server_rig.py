"""A real server process, an examiner and an application for tests: real sockets, real keys, real sealed segments."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.clock import ManualClock
from app.contract import canonical, schema, wire
from app.contract.incidents import Track
from app.contract.policy import Browser, Policy, Recipient, Server
from app.contract.sealing import jws
from app.contract.sealing.keys import key_id, public_bytes
from app.contract.sealing.records import END_TYPE, FORMAT_VERSION, POLICY_TYPE, RECORD_TYPE, End, Record, genesis
from app.contract.sealing.segment import SegmentSealer
from app.contract.session import SessionState
from server import serving
from server.app import create_app, open_context

PASSWORD = "correct horse battery"
EXPIRES_MS = 4_000_000_000_000
CSRF = {"X-Fairlock": "1"}
NOTHING_SPENT = wire.Spent()
END_S = 60
"""Longest that a server takes to begin and to end, on a machine that is busy with others."""


@contextmanager
def running(data: Path, *, port: int = 0) -> Iterator["ServerProcess"]:
    """Run ``fairlock-server serve`` on ``data``; it is told to end at the end."""
    process = start(data, port=port)
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def timed(data: Path, clock: ManualClock) -> Iterator[str]:
    """Run the server in a thread of this process, on a clock that only the test moves; yield its address."""
    with serving.listen("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        context = open_context(data, public_url=url, now=lambda: clock.now().utc_ms)
        config = uvicorn.Config(create_app(context), log_config=None, access_log=False)
        server = serving.Server(config, ending=context.live.hub.close)
        # The socket listens from here on, so that nobody is turned away while the server starts.
        listener.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(END_S)
            context.database.close()


def prepare(data: Path, *, settings: str = "") -> None:
    """Run ``fairlock-server init``, with the text ``settings`` as its ``server.toml``."""
    secret = data.parent / "password"
    secret.write_text(PASSWORD)
    command = ["init", "--data", str(data), "--admin", "ada", "--password-file", str(secret)]
    if settings:
        (data.parent / "settings.toml").write_text(settings)
        command += ["--settings", str(data.parent / "settings.toml")]
    subprocess.run([sys.executable, "-m", "server", *command], check=True, capture_output=True, timeout=60)


@dataclass
class ServerProcess:
    """A running command whose first line named its address."""

    popen: "subprocess.Popen[str]"
    url: str

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self.popen.send_signal(signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        """Ask it to end."""
        if self.popen.poll() is None:
            self.popen.terminate()
        self._reap()

    def _reap(self) -> None:
        try:
            self.popen.wait(END_S)
        finally:
            if self.popen.stdout:
                self.popen.stdout.close()


def start(data: Path, *, port: int = 0) -> ServerProcess:
    """Start ``fairlock-server serve`` and wait until it answers."""
    return launch(["serve", "--data", str(data), "--port", str(port)], log=data.parent / "server.log")


def launch(command: list[str], *, log: Path) -> ServerProcess:
    """Start ``fairlock-server`` with ``command`` and wait until its port is open; stderr goes to ``log``."""
    with log.open("ab") as errors:
        popen = subprocess.Popen(
            [sys.executable, "-m", "server", *command],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    assert popen.stdout is not None
    line = popen.stdout.readline()
    if not line:
        popen.wait(END_S)
        raise AssertionError(f"the server did not start: {log.read_text()}")
    url = next(word.rstrip(";/") for word in line.split() if word.startswith("http"))
    # The port is bound before the line is written; uvicorn begins to accept a moment later.
    deadline = time.monotonic() + END_S
    while True:
        try:
            httpx.get(url + "/", timeout=5, trust_env=False)
            return ServerProcess(popen, url)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                popen.kill()
                raise


@dataclass
class Institution:
    """An institution's key, an examiner's key and a signed-in administrator."""

    http: httpx.Client
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    examiner: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def sign_in(self) -> None:
        """Sign in and register the institution's key."""
        self.call("POST", "/api/v1/login", {"name": "ada", "password": PASSWORD})
        public = canonical.b64(public_bytes(self.key.public_key()))
        self.call("POST", "/api/v1/institution", {"name": "Test University", "public": public})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make one call and return its JSON; anything but success fails the test."""
        answer = self.http.request(method, path, json=body, headers=CSRF)
        assert answer.is_success, (path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def policy(self, exam: str, *, start_url: str = "http://127.0.0.1:9/", **changes: Any) -> str:
        """Return the JWS of a policy for this server."""
        keys = schema.from_json(wire.ServerKeys, self.http.get("/api/v1/server").json())
        public = self.examiner.public_key()
        values: dict[str, Any] = {
            "version": 1,
            "exam": exam,
            "title": "Algebra I",
            "institution": "Test University",
            "issued_ms": 0,
            "expires_ms": EXPIRES_MS,
            "server": Server(url=str(self.http.base_url), token_key=keys.token_key, receipt_key=keys.receipt_key),
            "browser": Browser(start_url=start_url, allow=(start_url,), submit_url=start_url + "submitted"),
            "recipients": (Recipient(id=key_id(public), name="Examiner", key=public_bytes(public)),),
        }
        return jws.sign(Policy(**(values | changes)), self.key, typ=POLICY_TYPE)

    def exam(self, exam: str, **policy: Any) -> None:
        """Store an exam."""
        self.call("POST", "/api/v1/exams", {"policy": self.policy(exam, **policy)})

    def seat(self, exam: str, name: str = "Grace Hopper") -> "Application":
        """Invite a candidate, and return the application, joined and bound."""
        app = Application(self.http, self.invite(exam, name))
        app.join()
        app.bind()
        return app

    def invite(self, exam: str, name: str = "Grace Hopper") -> wire.ExamLink:
        """Add a candidate and return the link."""
        return wire.ExamLink.parse(self.call("POST", f"/api/v1/exams/{exam}/candidates", {"name": name})["link"])


class Application:
    """What a student's application says to the server, step by step."""

    def __init__(self, http: httpx.Client, link: wire.ExamLink) -> None:
        self.http = http
        self.link = link
        self.signing = Ed25519PrivateKey.generate()
        self.program = os.urandom(32)
        self.sequences: dict[Track, int] = {}
        self.records: list[str] = []

    def join(self) -> wire.JoinAnswer:
        """Exchange the invite."""
        body = wire.JoinRequest(exam=self.link.exam, invite=self.link.invite, client="test")
        answer = self.http.post("/api/v1/join", content=schema.dumps(body))
        assert answer.is_success, answer.text
        self.joined = schema.from_json(wire.JoinAnswer, answer.json())
        self.session = self.joined.session
        policy = self.http.get(f"/api/v1/exams/{self.link.exam}/policy").json()
        self.policy_token = schema.from_json(wire.PolicyAnswer, policy).policy
        self.policy = jws.unverified(Policy, self.policy_token)
        self.head = genesis(self.session, jws.digest(self.policy_token))
        return self.joined

    def bind_request(self, **changes: bytes) -> wire.BindRequest:
        """Encrypt the tokens."""
        public = public_bytes(self.signing.public_key())
        values = {"client": self.joined.client_token, "program": self.program}
        values |= {"signing_key": hashlib.sha256(public).digest()} | changes
        rsa = load_der_public_key(self.policy.server.token_key)
        assert isinstance(rsa, RSAPublicKey)
        padding = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=wire.BIND_LABEL)
        sealed = rsa.encrypt(schema.dumps(wire.Tokens(**values)), padding)
        return wire.BindRequest(tokens=sealed, signing_key=public)

    def try_bind(self, request: wire.BindRequest | None = None) -> httpx.Response:
        """Send a bind and return whatever comes."""
        body = schema.dumps(request or self.bind_request())
        return self.http.post(f"/api/v1/sessions/{self.session}/bind", content=body)

    def bind(self) -> wire.BindAnswer:
        """Bind this program; a new epoch begins."""
        answer = self.try_bind()
        assert answer.is_success, answer.text
        self.bound = schema.from_json(wire.BindAnswer, answer.json())
        self.sequences = {}
        return self.bound

    @property
    def bearer(self) -> dict[str, str]:
        """The header that names the present program."""
        return {"Authorization": f"Bearer {self.bound.access_token}"}

    def try_beat(
        self, cookie: str | None, state: SessionState = SessionState.RUNNING, spent: wire.Spent = NOTHING_SPENT
    ) -> httpx.Response:
        """Send a heartbeat and return whatever comes."""
        beat = wire.Heartbeat(state=state, cookie=cookie, head=self.head, records=len(self.records), spent=spent)
        url = f"/api/v1/sessions/{self.session}/heartbeat"
        return self.http.post(url, content=schema.dumps(beat), headers=self.bearer)

    def beat(
        self, cookie: str | None, state: SessionState = SessionState.RUNNING, spent: wire.Spent = NOTHING_SPENT
    ) -> wire.HeartbeatAnswer:
        """Send a heartbeat."""
        answer = self.try_beat(cookie, state, spent)
        assert answer.is_success, answer.text
        return schema.from_json(wire.HeartbeatAnswer, answer.json())

    def seal(
        self, track: Track, *, size: int = 4_000, epoch: int = 0, advance: bool = True, start_ms: int = 0
    ) -> tuple[str, bytes]:
        """Seal a segment of random bytes and sign its record; with ``advance`` it becomes the chain's head."""
        sequence = self.sequences.get(track, 0)
        sealer = SegmentSealer(
            session=self.session,
            epoch=epoch,
            track=track,
            sequence=sequence,
            mime="application/octet-stream",
            start_ms=start_ms,
            utc_ms=0,
            previous=self.head,
            recipients=self.policy.recipients,
        )
        data = sealer.preamble + sealer.seal(os.urandom(size)) + sealer.seal(b"", final=True)
        record = jws.sign(
            sealer.record(previous=self.head, duration_ms=5_000, closed_ms=0), self.signing, typ=RECORD_TYPE
        )
        if advance:
            self.sequences[track] = sequence + 1
            self.head = jws.digest(record)
            self.records.append(record)
        return record, data

    def put(self, record: str, data: bytes, *, path: str | None = None) -> httpx.Response:
        """Upload a segment and return whatever comes."""
        said = jws.unverified(Record, record)
        place = path or f"{said.epoch}/{said.track}/{said.sequence}"
        headers = self.bearer | {wire.RECORD_HEADER: record}
        return self.http.put(f"/api/v1/sessions/{self.session}/segments/{place}", content=data, headers=headers)

    def end_token(self, **changes: Any) -> str:
        """Sign the end of the chain as it is."""
        counts: dict[str, int] = {}
        for record in self.records:
            track = jws.unverified(Record, record).track.value
            counts[track] = counts.get(track, 0) + 1
        values: dict[str, Any] = {
            "version": FORMAT_VERSION,
            "session": self.session,
            "head": self.head,
            "records": len(self.records),
            "segments": counts,
            "reason": "submit",
            "ended_ms": 1,
        }
        return jws.sign(End(**(values | changes)), self.signing, typ=END_TYPE)

    def try_end(self, token: str) -> httpx.Response:
        """Send an end and return whatever comes."""
        url = f"/api/v1/sessions/{self.session}/end"
        return self.http.post(url, content=schema.dumps(wire.EndRequest(end=token)), headers=self.bearer)

    def end(self, token: str) -> wire.EndAnswer:
        """Send an end."""
        answer = self.try_end(token)
        assert answer.is_success, answer.text
        return schema.from_json(wire.EndAnswer, answer.json())


def opened(http: httpx.Client, exam: str) -> Institution:
    """Return an institution that is signed in and holds ``exam``."""
    institution = Institution(http)
    institution.sign_in()
    institution.exam(exam)
    return institution


def enter(http: httpx.Client, bound: wire.BindAnswer) -> str:
    """Follow the entry address at the gate itself; return the first cookie token."""
    ticket = httpx.URL(bound.entry_url).params["ticket"]
    answer = http.get("/gate/enter", params={"ticket": ticket}, headers={"Cookie": ""})
    assert answer.status_code == 303, answer.text
    return cookie_of(answer)


def knock(http: httpx.Client, cookie: str) -> httpx.Response:
    """Ask the gate as a proxy does."""
    return http.get("/gate/verify", headers={"Cookie": f"fairlock={cookie}"})


def cookie_of(answer: httpx.Response) -> str:
    """Return the cookie token that an answer sets."""
    head = answer.headers["Set-Cookie"].split(";")[0]
    assert head.startswith("fairlock="), head
    return str(head.removeprefix("fairlock="))
