"""The exception tree.

::

    FairlockError            code + a sentence for people
    ├── UserFacing           something the person at the machine can put right; ``advice`` says how
    │   └── Unsupported      this system can't do what was asked
    ├── Retryable            may go through later without anybody doing anything
    ├── IntegrityError       evidence or a signature is not what it claims to be
    └── Fatal                a broken invariant: stop, keep what is on disk

Callers catch these five names; broad ``except`` stands only at the edges (thread main, process main,
Qt slot, HTTP handler).
"""

from enum import StrEnum

from app.contract.words import words


class FairlockError(Exception):
    """Base of all errors that Fairlock raises on purpose.

    ``code`` is stable and short (``E-CAMERA-BUSY``), for support and for tests; ``str(error)`` is a sentence, which can
    be shown, sealed and sent whatever was quoted in it (``app.contract.words``).
    """

    code = "E-INTERNAL"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(words(message))
        if code is not None:
            self.code = code


class UserFacing(FairlockError):
    """Something the person at the machine can put right.

    ``advice`` is a sentence in the imperative that says what to do.
    """

    code = "E-USER"

    def __init__(self, message: str, *, advice: str, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.advice = words(advice)

    def __str__(self) -> str:
        return f"{super().__str__()} {self.advice}".strip()


class Unsupported(UserFacing):
    """This system can't do what was asked."""

    code = "E-UNSUPPORTED"


class Retryable(FairlockError):
    """May go through later without anybody doing anything.

    ``after_s`` is the other side's hint in seconds, or ``None``.
    """

    code = "E-RETRY"

    def __init__(self, message: str, *, after_s: float | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.after_s = after_s


class Fatal(FairlockError):
    """A broken invariant: stop, keep what is on disk."""

    code = "E-FATAL"


class Outcome(StrEnum):
    """What a verifier says about evidence; the same words in Python, in the console and in the vectors."""

    OK = "ok"
    BAD_FORMAT = "bad-format"
    UNKNOWN_SUITE = "unknown-suite"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_KEY = "unknown-key"
    WRONG_POLICY = "wrong-policy"
    BROKEN_CHAIN = "broken-chain"
    DIGEST_MISMATCH = "digest-mismatch"
    RECORD_MISMATCH = "record-mismatch"
    WRONG_RECIPIENT = "wrong-recipient"
    BAD_WRAP = "bad-wrap"
    BAD_COMMITMENT = "bad-commitment"
    BAD_FRAGMENT = "bad-fragment"
    TRUNCATED = "truncated"
    MISSING = "missing"
    BAD_RECEIPT = "bad-receipt"


class IntegrityError(FairlockError):
    """Evidence or a signature is not what it claims to be; ``outcome`` names the class of the fault."""

    code = "E-INTEGRITY"

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome
