"""Joining: from a link to a bound session with a verified policy. Fails closed, one sentence per reason.

What a resume needs (session id, client token, timeline) is kept in the session's folder, readable by the owner only.
The program token and the epoch's signing key live in memory and die with the process.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.contract import schema
from app.contract.agreement import Agreement
from app.contract.errors import FairlockError, IntegrityError, Outcome, Retryable, UserFacing
from app.contract.policy import Policy
from app.contract.sealing import jws, keys
from app.contract.sealing.policies import open_policy
from app.contract.sealing.records import BINDING_TYPE, Binding
from app.contract.times import Clock, Instant
from app.contract.wire import (
    BIND_LABEL,
    CONFIRMATION_LIMIT_MS,
    BindRequest,
    ExamLink,
    JoinRequest,
    PolicyAnswer,
    Spent,
    Tokens,
)
from app.recorder.client import ServerClient
from app.recorder.granting import verify_agreement
from app.recorder.timeline import Timeline
from app.version import VERSION
from capture.durable import sync_folder

CLOCK_TOLERANCE_MS = 120_000
MIN_TOKEN_KEY_BITS = 3072


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSession:
    """What is kept on disk of a session, so that a crash or a restart can resume it.

    ``origin_*`` is zero of the session's timeline: both clocks at the first start of recording (0: not started).
    """

    link: str
    session: str
    candidate: str
    client_token: bytes
    policy: str
    institution_key: bytes
    agreement: str | None = None
    origin_mono_ns: int = 0
    origin_utc_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedSession:
    """A bound session. ``signing_key`` speaks for it in ``epoch``.

    ``policy`` is the signed one as it holds for this candidate, whom ``agreement`` may grant more than others.
    """

    saved: SavedSession
    folder: Path
    policy: Policy
    policy_digest: bytes
    receipt_key: Ed25519PublicKey
    signing_key: Ed25519PrivateKey
    epoch: int
    entry_url: str
    agreement: Agreement | None = None
    elapsed_at_server_ms: int = 0
    spent_at_server: Spent = Spent()

    @property
    def session(self) -> str:
        """The session's id."""
        return self.saved.session

    def elapsed_ms(self, clock: Clock) -> int:
        """Return how long ago the session first began to record, less its breaks; 0 when it has not.

        Never less than the server says, who can't be told otherwise by editing a file; the breaks are those it knows.
        """
        elapsed_ms = self.elapsed_at_server_ms
        if self.saved.origin_mono_ns:
            now = clock.now()
            origin = Instant(mono_ns=self.saved.origin_mono_ns, utc_ms=self.saved.origin_utc_ms)
            elapsed_ms = max(elapsed_ms, Timeline(origin, now).at_ms(now))
        granted_ms = 1000 * self.agreement.breaks_s if self.agreement is not None else 0
        return max(0, elapsed_ms - min(granted_ms, self.spent_at_server.breaks_ms))


def join(client: ServerClient, link: ExamLink, *, program_token: bytes, home: Path, clock: Clock) -> JoinedSession:
    """Join or resume; raises ``UserFacing`` (refused), ``Retryable`` (unreachable) or ``IntegrityError``."""
    folder = session_folder(home, link)
    saved = load_saved(folder) or _join_anew(client, link, folder, clock)
    if saved.link != link.url():  # the pin is taken from the file, so the file must be this link's
        raise UserFacing(
            "The session kept on this computer belongs to another link.",
            advice="Ask your institution for a new link.",
            code="E-LINK",
        )
    return bind_patiently(client, saved, folder=folder, program_token=program_token, clock=clock)


def session_folder(home: Path, link: ExamLink) -> Path:
    """Return where a link's session is kept."""
    return home / "sessions" / hashlib.sha256(link.url().encode()).hexdigest()[:24]


def bind_patiently(
    client: ServerClient, saved: SavedSession, *, folder: Path, program_token: bytes, clock: Clock
) -> JoinedSession:
    """Bind, waiting while the server may still take a program of ours that died for alive."""
    deadline = clock.now().mono_ns + (CONFIRMATION_LIMIT_MS + 5_000) * 1_000_000
    while True:
        try:
            return bind(client, saved, folder=folder, program_token=program_token, clock=clock)
        except (UserFacing, Retryable) as error:
            wait_s = _until_again_s(error)
            if not saved.origin_mono_ns or wait_s is None or clock.now().mono_ns + int(wait_s * 1e9) > deadline:
                raise
        clock.sleep(wait_s)


def _until_again_s(error: UserFacing | Retryable) -> float | None:
    """Return after how many seconds the server may bind; ``None`` when it named no time and waiting is no use."""
    if isinstance(error, Retryable):
        return None if error.after_s is None else max(1.0, error.after_s)
    return 1.0 if error.code == "E-SECOND-PROGRAM" else None


def bind(
    client: ServerClient, saved: SavedSession, *, folder: Path, program_token: bytes, clock: Clock
) -> JoinedSession:
    """Open the session's next epoch with a fresh signing key."""
    policy = verify_policy(PolicyAnswer(policy=saved.policy, institution_key=saved.institution_key), saved.link)
    client.pin(policy.server.pins)
    agreement = verify_agreement(saved.agreement, saved.institution_key, exam=policy.exam, candidate=saved.candidate)
    signing_key = Ed25519PrivateKey.generate()
    public = keys.public_bytes(signing_key.public_key())
    tokens = Tokens(client=saved.client_token, program=program_token, signing_key=hashlib.sha256(public).digest())
    sealed = _token_key(policy).encrypt(schema.dumps(tokens), _oaep())
    answer = client.bind(saved.session, BindRequest(tokens=sealed, signing_key=public))
    _check_clock(answer.server_ms, clock)
    receipt_key = keys.load_ed25519(policy.server.receipt_key)
    binding = jws.verify(Binding, answer.binding, receipt_key, typ=BINDING_TYPE)
    digest = jws.digest(saved.policy)
    bound = (binding.session, binding.candidate, binding.signing_key, binding.policy)
    if bound != (saved.session, saved.candidate, public, digest):
        raise IntegrityError(Outcome.RECORD_MISMATCH, "the server bound something else than was asked")
    client.use_token(answer.access_token)
    return JoinedSession(
        saved=saved,
        folder=folder,
        policy=policy if agreement is None else agreement.apply(policy),
        policy_digest=digest,
        receipt_key=receipt_key,
        signing_key=signing_key,
        epoch=binding.epoch,
        entry_url=answer.entry_url,
        agreement=agreement,
        elapsed_at_server_ms=answer.elapsed_ms,
        spent_at_server=answer.spent,
    )


def verify_policy(answer: PolicyAnswer, link_text: str) -> Policy:
    """Return the policy if it was signed with the key that the link pins."""
    link = ExamLink.parse(link_text)
    try:
        policy = open_policy(answer.policy, answer.institution_key, pin=link.pin)
    except IntegrityError as error:
        raise UserFacing(
            f"The exam's policy is not genuine ({error}).",
            advice="Do not continue; tell your institution.",
            code="E-POLICY-FORGED",
        ) from error
    if policy.exam != link.exam or policy.server.url != link.server:
        raise UserFacing(
            "The policy belongs to another exam or server than the link.",
            advice="Do not continue; tell your institution.",
            code="E-POLICY-FORGED",
        )
    return policy


def load_saved(folder: Path) -> SavedSession | None:
    """Read what was kept of a session; a damaged file is as good as none."""
    try:
        return schema.loads(SavedSession, (folder / "session.json").read_bytes())
    except (OSError, IntegrityError):
        return None


def save(saved: SavedSession, folder: Path) -> None:
    """Keep what a resume needs; raises ``UserFacing`` when the disk refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = folder / "session.json.part"
        part.touch(mode=0o600)
        with part.open("wb") as file:
            file.write(schema.dumps(saved))
            file.flush()
            os.fsync(file.fileno())  # without its client token a session can't be taken up after a power cut
        part.replace(folder / "session.json")
        sync_folder(folder)
    except OSError as error:
        raise UserFacing(
            f"The session can't be kept on disk ({error.strerror}).",
            advice="Free some space or check the rights of your home folder, then start again.",
            code="E-DISK-WRITE",
        ) from error


def start_timeline(joined: JoinedSession, clock: Clock) -> JoinedSession:
    """Fix zero of the session's timeline at its first recording; later epochs keep it."""
    if joined.saved.origin_mono_ns:
        return joined
    now = clock.now()
    saved = replace(joined.saved, origin_mono_ns=now.mono_ns, origin_utc_ms=now.utc_ms)
    save(saved, joined.folder)
    return replace(joined, saved=saved)


def _join_anew(client: ServerClient, link: ExamLink, folder: Path, clock: Clock) -> SavedSession:
    answer = client.policy(link.exam)
    policy = verify_policy(answer, link.url())
    client.pin(policy.server.pins)
    if policy.expires_ms < clock.now().utc_ms:
        raise UserFacing(
            "This exam is over, or this computer's clock is wrong.",
            advice="Check the date and time, then ask your institution.",
            code="E-POLICY-EXPIRED",
        )
    joined = client.join(JoinRequest(exam=link.exam, invite=link.invite, client=f"fairlock/{VERSION}"))
    verify_agreement(
        joined.agreement,
        answer.institution_key,
        exam=policy.exam,
        candidate=joined.candidate,
        now_ms=clock.now().utc_ms,
    )
    saved = SavedSession(
        link=link.url(),
        session=joined.session,
        candidate=joined.candidate,
        client_token=joined.client_token,
        policy=answer.policy,
        institution_key=answer.institution_key,
        agreement=joined.agreement,
    )
    save(saved, folder)
    return saved


def _check_clock(server_ms: int, clock: Clock) -> None:
    off_ms = clock.now().utc_ms - server_ms
    if abs(off_ms) > CLOCK_TOLERANCE_MS:
        ahead = "ahead of" if off_ms > 0 else "behind"
        raise UserFacing(
            f"This computer's clock is {abs(off_ms) // 60_000} minutes {ahead} the server's.",
            advice="Set the date and time automatically, then start again.",
            code="E-CLOCK",
        )


def _token_key(policy: Policy) -> RSAPublicKey:
    try:
        key = load_der_public_key(policy.server.token_key)
    except ValueError as error:
        raise FairlockError("the policy's token key can't be read", code="E-TOKENS") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_TOKEN_KEY_BITS:
        raise FairlockError("the policy's token key is not RSA of at least 3072 bit", code="E-TOKENS")
    return key


def _oaep() -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=BIND_LABEL)
