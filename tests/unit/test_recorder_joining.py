"""Joining fails closed, with one sentence per reason; against a small server that speaks the real protocol."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.clock import ManualClock
from app.contract import schema
from app.contract.agreement import AGREEMENT_VERSION, Agreement, Allowance
from app.contract.errors import FairlockError, IntegrityError, Outcome, Retryable, UserFacing
from app.contract.policy import Policy, Server
from app.contract.sealing import jws, keys
from app.contract.sealing.agreements import AGREEMENT_TYPE
from app.contract.sealing.records import BINDING_TYPE, FORMAT_VERSION, POLICY_TYPE, Binding
from app.contract.wire import BIND_LABEL, BindAnswer, BindRequest, ExamLink, JoinAnswer, PolicyAnswer, Spent, Tokens
from app.recorder.client import ServerClient
from app.recorder.joining import JoinedSession, join, load_saved, save, session_folder
from tests.unit.capture_parts import SESSION, recipient
from tests.unit.shell_policies import POLICY

PROGRAM = b"p" * 32
TOKEN_KEY = rsa.generate_private_key(65537, 3072)
INSTITUTION = ec.generate_private_key(ec.SECP256R1())
RECEIPTS = Ed25519PrivateKey.generate()


@dataclass
class Institution:
    """An institution's server; tests change what it says before it is asked."""

    url: str
    clock: ManualClock
    signs_with: ec.EllipticCurvePrivateKey = INSTITUTION
    shows_key: ec.EllipticCurvePrivateKey = INSTITUTION
    signed: str = ""
    changes: dict[str, object] = field(default_factory=dict)
    clock_off_ms: int = 0
    elapsed_ms: int = 0
    spent: Spent = Spent()
    binds_key: bytes | None = None
    agreement: str | None = None
    calls: list[str] = field(default_factory=list)

    @property
    def link(self) -> ExamLink:
        pin = keys.key_id(INSTITUTION.public_key())
        return ExamLink(server=self.url, exam=POLICY.exam, invite="invite-123", pin=pin)

    def policy(self) -> str:
        token_key = TOKEN_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        server = Server(url=self.url, token_key=token_key, receipt_key=keys.public_bytes(RECEIPTS.public_key()))
        policy: Policy = replace(POLICY, server=server, recipients=(recipient(),))
        return jws.sign(replace(policy, **self.changes), self.signs_with, typ=POLICY_TYPE)  # type: ignore[arg-type]

    def answer(self, path: str, body: bytes) -> object:
        self.calls.append(path.rsplit("/", 1)[-1])
        match self.calls[-1]:
            case "policy":
                self.signed = self.policy()
                return PolicyAnswer(policy=self.signed, institution_key=keys.public_bytes(self.shows_key.public_key()))
            case "join":
                return JoinAnswer(session=SESSION, candidate="Ada", client_token=b"c" * 32, agreement=self.agreement)
            case _:
                return self._bind(schema.loads(BindRequest, body))

    def _bind(self, request: BindRequest) -> BindAnswer:
        oaep = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=BIND_LABEL)
        tokens = schema.loads(Tokens, TOKEN_KEY.decrypt(request.tokens, oaep))
        assert tokens == Tokens(
            client=b"c" * 32, program=PROGRAM, signing_key=hashlib.sha256(request.signing_key).digest()
        )
        now_ms = self.clock.now().utc_ms + self.clock_off_ms
        binding = Binding(
            version=FORMAT_VERSION,
            session=SESSION,
            exam=POLICY.exam,
            candidate="Ada",
            epoch=self.calls.count("bind") - 1,
            signing_key=self.binds_key or request.signing_key,
            program=hashlib.sha256(tokens.program).digest(),
            policy=jws.digest(self.signed),
            bound_ms=now_ms,
        )
        token = jws.sign(binding, RECEIPTS, typ=BINDING_TYPE)
        bound = BindAnswer(binding=token, access_token="a", entry_url="", server_ms=now_ms, elapsed_ms=self.elapsed_ms)
        return replace(bound, spent=self.spent)


@pytest.fixture
def institution() -> Iterator[Institution]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = schema.dumps(it.answer(self.path, body))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        it = Institution(f"http://127.0.0.1:{serving.server_port}", ManualClock())
        thread = threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield it
        serving.shutdown()
        thread.join()


def joined(institution: Institution, home: Path, link: ExamLink | None = None) -> JoinedSession:
    client = ServerClient(institution.url)
    try:
        return join(client, link or institution.link, program_token=PROGRAM, home=home, clock=institution.clock)
    finally:
        client.close()


def refusal(institution: Institution, home: Path, link: ExamLink | None = None) -> FairlockError:
    with pytest.raises(FairlockError) as caught:
        joined(institution, home, link)
    return caught.value


def test_a_candidate_joins_and_takes_the_session_up_again(institution: Institution, tmp_path: Path) -> None:
    first = joined(institution, tmp_path)
    assert (first.session, first.saved.candidate, first.epoch) == (SESSION, "Ada", 0)
    again = joined(institution, tmp_path)
    assert again.epoch == 1
    assert again.signing_key is not first.signing_key
    assert institution.calls == ["policy", "join", "bind", "bind"]


def test_time_that_ran_is_not_forgotten_by_forgetting_when_it_began(institution: Institution, tmp_path: Path) -> None:
    first = joined(institution, tmp_path)
    now = institution.clock.now()
    began = replace(first.saved, origin_mono_ns=now.mono_ns, origin_utc_ms=now.utc_ms)
    save(began, first.folder)
    institution.clock.advance(100)
    institution.elapsed_ms = 99_000
    assert joined(institution, tmp_path).elapsed_ms(institution.clock) == 100_000
    save(replace(began, origin_mono_ns=0, origin_utc_ms=0), first.folder)
    assert joined(institution, tmp_path).elapsed_ms(institution.clock) == 99_000


@pytest.mark.parametrize(
    ("off_s", "says"),
    [(-600, "10 minutes ahead of"), (185, "3 minutes behind")],
    ids=["ahead", "behind"],
)
def test_a_clock_that_is_off_is_said_in_minutes(
    institution: Institution, tmp_path: Path, off_s: int, says: str
) -> None:
    institution.clock_off_ms = off_s * 1000
    error = refusal(institution, tmp_path)
    assert error.code == "E-CLOCK"
    assert str(error) == (
        f"This computer's clock is {says} the server's. Set the date and time automatically, then start again."
    )


def test_a_clock_that_is_a_minute_off_is_good_enough(institution: Institution, tmp_path: Path) -> None:
    institution.clock_off_ms = 60_000
    assert joined(institution, tmp_path).epoch == 0


def test_an_expired_policy_joins_nothing(institution: Institution, tmp_path: Path) -> None:
    institution.changes = {"expires_ms": institution.clock.now().utc_ms - 1}
    error = refusal(institution, tmp_path)
    assert error.code == "E-POLICY-EXPIRED"
    assert "exam is over" in str(error)
    assert "Check the date and time" in str(error)
    assert institution.calls == ["policy"]  # the invite was not used up


def test_an_unreachable_server_may_come_back(tmp_path: Path) -> None:
    gone = Institution("http://127.0.0.1:9", ManualClock())
    error = refusal(gone, tmp_path)
    assert isinstance(error, Retryable)
    assert error.code == "E-SERVER-UNREACHABLE"


OTHER = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    "shown", [INSTITUTION, OTHER], ids=["signed with another key", "another key than the pinned one"]
)
def test_a_forged_policy_joins_nothing(
    institution: Institution, tmp_path: Path, shown: ec.EllipticCurvePrivateKey
) -> None:
    institution.signs_with, institution.shows_key = OTHER, shown
    error = refusal(institution, tmp_path)
    assert isinstance(error, UserFacing)
    assert error.code == "E-POLICY-FORGED"
    assert "not genuine" in str(error)
    assert "tell your institution" in error.advice
    assert institution.calls == ["policy"]


@pytest.mark.parametrize(
    "changes",
    [
        {"exam": "another-exam"},
        {"server": Server(url="https://elsewhere.example", token_key=b"k", receipt_key=bytes(32))},
    ],
    ids=["exam", "server"],
)
def test_a_genuine_policy_of_something_else_joins_nothing(
    institution: Institution, tmp_path: Path, changes: dict[str, object]
) -> None:
    institution.changes = changes
    error = refusal(institution, tmp_path)
    assert error.code == "E-POLICY-FORGED"
    assert "another exam or server" in str(error)
    assert institution.calls == ["policy"]


def test_a_server_that_binds_another_key_is_not_believed(institution: Institution, tmp_path: Path) -> None:
    institution.binds_key = keys.public_bytes(Ed25519PrivateKey.generate().public_key())
    error = refusal(institution, tmp_path)
    assert isinstance(error, IntegrityError)
    assert error.outcome is Outcome.RECORD_MISMATCH


def granted(institution: Institution, *, key: ec.EllipticCurvePrivateKey = INSTITUTION, **changes: object) -> Agreement:
    now_ms = institution.clock.now().utc_ms
    agreement = Agreement(
        version=AGREEMENT_VERSION,
        exam=POLICY.exam,
        candidate="Ada",
        allowances=(Allowance.SCREEN_READER, Allowance.READING_ALOUD),
        extra_time_permille=500,
        issued_ms=now_ms - 1,
        expires_ms=now_ms + 60_000,
    )
    agreement = replace(agreement, **changes)  # type: ignore[arg-type]
    institution.agreement = jws.sign(agreement, key, typ=AGREEMENT_TYPE)
    return agreement


def test_what_was_granted_holds_from_the_join_on(institution: Institution, tmp_path: Path) -> None:
    agreement = granted(institution)
    session = joined(institution, tmp_path)
    assert session.agreement == agreement
    assert session.policy.duration_s == 8100  # of 5400
    assert not session.policy.detection.speech
    assert session.policy_digest == jws.digest(institution.signed)


def test_what_was_granted_holds_to_the_end_of_a_session_that_began_in_time(
    institution: Institution, tmp_path: Path
) -> None:
    agreement = granted(institution)
    joined(institution, tmp_path)
    institution.clock.sleep(3_600)
    assert joined(institution, tmp_path).agreement == agreement


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        (OTHER, {}),
        (INSTITUTION, {"candidate": "Bob"}),
        (INSTITUTION, {"exam": "another-exam"}),
        (INSTITUTION, {"issued_ms": 1, "expires_ms": 2}),
    ],
    ids=["signed by another", "another candidate's", "another exam's", "expired"],
)
def test_nothing_starts_with_an_agreement_that_does_not_hold(
    institution: Institution, tmp_path: Path, key: ec.EllipticCurvePrivateKey, changes: dict[str, object]
) -> None:
    granted(institution, key=key, **changes)
    error = refusal(institution, tmp_path)
    assert isinstance(error, UserFacing)
    assert error.code == "E-AGREEMENT"
    assert "ask your institution for a new link" in error.advice
    assert institution.calls == ["policy", "join"]  # no epoch was opened, and nothing of it is kept
    assert not list(tmp_path.rglob("session.json"))


def test_breaks_that_the_server_knows_of_used_no_time_of_the_exam(institution: Institution, tmp_path: Path) -> None:
    granted(institution, allowances=(Allowance.BREAKS,), breaks_s=60)
    institution.elapsed_ms = 500_000
    institution.spent = Spent(breaks_ms=40_000, tries=2)
    session = joined(institution, tmp_path)
    assert session.spent_at_server == institution.spent
    assert session.elapsed_ms(institution.clock) == 460_000
    institution.spent = Spent(breaks_ms=90_000)
    assert joined(institution, tmp_path).elapsed_ms(institution.clock) == 440_000, "no more than was granted"
    institution.elapsed_ms = 0
    assert joined(institution, tmp_path).elapsed_ms(institution.clock) == 0


def test_an_agreement_written_into_the_kept_session_is_not_believed(institution: Institution, tmp_path: Path) -> None:
    joined(institution, tmp_path)
    granted(institution, key=OTHER)
    folder = session_folder(tmp_path, institution.link)
    saved = load_saved(folder)
    assert saved is not None
    save(replace(saved, agreement=institution.agreement), folder)
    assert refusal(institution, tmp_path).code == "E-AGREEMENT"
