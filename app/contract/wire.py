"""What the application and the server say to each other over HTTP.

All bodies are the JSON of these dataclasses (``schema``); errors are ``Refusal`` with an HTTP status. The server
sends codes, the application owns the words (``app.shell.text``).

==========  ===================================================  ==========================  =================
method      path                                                 request                     answer
==========  ===================================================  ==========================  =================
GET         /api/v1/server                                                                   ``ServerKeys``
GET         /api/v1/exams/{exam}/policy                                                      ``PolicyAnswer``
POST        /api/v1/join                                         ``JoinRequest``             ``JoinAnswer``
POST        /api/v1/sessions/{session}/bind                      ``BindRequest``             ``BindAnswer``
POST        /api/v1/sessions/{session}/heartbeat                 ``Heartbeat``               ``HeartbeatAnswer``
PUT         /api/v1/sessions/{session}/segments/{e}/{t}/{n}      segment file                ``SegmentAnswer``
POST        /api/v1/sessions/{session}/live                      pieces (``live``)           none
POST        /api/v1/sessions/{session}/end                       ``EndRequest``              ``EndAnswer``
==========  ===================================================  ==========================  =================

From ``heartbeat`` on, requests carry ``Authorization: Bearer`` with ``BindAnswer.access_token``. The segment's record
travels in the header ``RECORD_HEADER``. ``PUT`` is idempotent: 201 new, 200 the same digest is stored,
409 another digest is stored (and an alarm), 422 the bytes are not what the record says, 503 with Retry-After. With the
header ``LIVE_HEADER`` and no body, ``PUT`` speaks of a file whose pieces were all sent to ``live``: the server takes
the bytes that it has, by the same checks; where some are missing it answers 428 ``E-LIVE``, and the file is sent.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from app.contract.errors import UserFacing
from app.contract.schema import setting
from app.contract.session import SessionState

RECORD_HEADER = "Fairlock-Record"
LIVE_HEADER = "Fairlock-Live"
"""``1``: the segment's bytes came live, and there is no body."""
CONFIRMATION_LIMIT_MS = 10_000
"""A candidate not confirmed for this long is frozen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKeys:
    """The server's public keys, to be written into a policy."""

    version: str
    token_key: bytes
    receipt_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAnswer:
    """The signed policy of an exam and the key that signed it (checked against the link's pin)."""

    policy: str
    institution_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """Exchange an invite for a session; an invite works once."""

    exam: str = setting(doc="Exam id.", minimum=1, maximum=64)
    invite: str = setting(doc="The link's invite.", minimum=8, maximum=64)
    client: str = setting(doc="Version of the application.", maximum=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinAnswer:
    """The session and the client token: one per candidate, kept on the candidate's disk for a resume.

    ``agreement`` is what the institution granted this candidate, signed with its own key (``contract.agreement``).
    """

    session: str
    candidate: str
    client_token: bytes
    agreement: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Plaintext of ``BindRequest.tokens``; ``signing_key`` is the SHA-256 of the key, so nobody can swap it."""

    client: bytes = setting(doc="The client token.", minimum=32, maximum=32)
    program: bytes = setting(doc="Random, made at each launch.", minimum=32, maximum=32)
    signing_key: bytes = setting(doc="SHA-256 of the epoch's public key.", minimum=32, maximum=32)


@dataclass(frozen=True, slots=True, kw_only=True)
class BindRequest:
    """Bind this run of the program to the session and open its next epoch.

    ``tokens`` is RSA-OAEP (SHA-256, label ``BIND_LABEL``) of the canonical ``Tokens``.
    """

    tokens: bytes = setting(doc="Encrypted tokens.", minimum=384, maximum=1024)
    signing_key: bytes = setting(doc="The epoch's Ed25519 public key.", minimum=32, maximum=32)


BIND_LABEL = b"fairlock-bind-v1"


LONGEST_BREAKS_MS = 86_400_000
MOST_TRIES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a session used up that no new start of the application gives back.

    ``breaks_ms`` are all agreed breaks so far, the one that lasts included; ``tries`` are quit codes that were looked
    at. Which codes those were is said nowhere.
    """

    breaks_ms: int = setting(0, doc="Agreed breaks taken so far.", minimum=0, maximum=LONGEST_BREAKS_MS)
    on_break: bool = setting(False, doc="Whether a break lasts.")
    tries: int = setting(0, doc="Quit codes tried so far.", minimum=0, maximum=MOST_TRIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class BindAnswer:
    """``binding`` is the signed ``records.Binding`` (it holds the epoch); ``entry_url`` opens the exam, once.

    ``elapsed_ms`` is how long ago the exam first ran, by the server's clock; 0 when it did not run yet. ``spent`` is
    what earlier programs used up; a break in which the last one fell silent lasted until now. What the candidate's disk
    says of either may have been altered.
    """

    binding: str
    access_token: str
    entry_url: str
    server_ms: int
    elapsed_ms: int = setting(0, doc="Since the exam first ran.", minimum=0)
    spent: Spent = setting(Spent, doc="What earlier programs used up.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Sent every ``upload.heartbeat_ms``. ``cookie`` is the newest cookie token that the browser holds."""

    state: SessionState
    cookie: str | None
    head: bytes = setting(doc="SHA-256 of the chain's newest record.", minimum=32, maximum=32)
    records: int
    spent: Spent = setting(Spent, doc="What was used up so far.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatAnswer:
    """``frozen`` is the server's word; ``health`` is load from 0 (idle) to 10; ``actions`` are signed."""

    server_ms: int
    frozen: bool
    health: int
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentAnswer:
    """The signed receipt, and the load as in ``HeartbeatAnswer``."""

    receipt: str
    health: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRequest:
    """The signed ``records.End``."""

    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAnswer:
    """The signed ``records.Completion``, or none while records of the chain have not arrived (``missing``)."""

    completion: str | None
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Body of every error answer. ``code`` is what the application translates; ``detail`` is for logs."""

    code: str
    detail: str = ""


RefusalCode = Literal[
    "E-EXAM-UNKNOWN",
    "E-INVITE-UNKNOWN",
    "E-INVITE-USED",
    "E-INVITE-EXPIRED",
    "E-POLICY-EXPIRED",
    "E-TOKENS",
    "E-SECOND-PROGRAM",
    "E-SESSION-UNKNOWN",
    "E-SESSION-ENDED",
    "E-NOT-SIGNED-IN",
    "E-NOT-ALLOWED",
    "E-FORMAT",
    "E-RECORD",
    "E-CONFLICT",
    "E-BUSY",
    "E-STORAGE",
    "E-LIVE",
]

LINK_SCHEME = "fairlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamLink:
    """``fairlock://join?server=…&exam=…&invite=…&pin=…``; ``pin`` is the id of the institution's policy key."""

    server: str
    exam: str
    invite: str
    pin: str

    def url(self) -> str:
        """Return the link as text."""
        fields = {"server": self.server, "exam": self.exam, "invite": self.invite, "pin": self.pin}
        return f"{LINK_SCHEME}://join?{urlencode(fields)}"

    @classmethod
    def parse(cls, text: str) -> "ExamLink":
        """Read a link; raises ``UserFacing`` with code ``E-LINK``."""
        incomplete = UserFacing(
            "This is not a complete exam link.", advice="Open the link from your institution again.", code="E-LINK"
        )
        try:
            parts = urlsplit(text.strip())
            query = {key: values[0] for key, values in parse_qs(parts.query).items() if len(values) == 1}
            server = urlsplit(query.get("server", ""))
            local = server.hostname in ("127.0.0.1", "localhost", "::1")
        except ValueError:  # urlsplit's word for brackets that hold no address
            raise incomplete from None
        whole = set(query) == {"server", "exam", "invite", "pin"} and len(query["pin"]) == 43
        if parts.scheme != LINK_SCHEME or parts.netloc != "join" or not whole or not server.hostname:
            raise incomplete
        if server.scheme != "https" and not (server.scheme == "http" and local):
            raise UserFacing(
                "The exam link names a server without encryption.",
                advice="Ask your institution for a link with https.",
                code="E-LINK",
            )
        return cls(**query)
