"""What the candidate reads when something stops the session. Pure.

Our own processes' words are shown when they say what to do; for the rest the words are here, by code. Words of the
server are never shown: it sends codes (``app.contract.wire.RefusalCode``).
"""

from collections.abc import Mapping

from app.messages import Refused

_UNREACHABLE = "The exam server can't be reached. Check your connection, then open the link again."
_OWN_FAULT = "Fairlock stopped because of a fault of its own. What was recorded is safe; open the link again."

SENTENCES: Mapping[str, str] = {
    # From the server
    "E-EXAM-UNKNOWN": "The server does not know this exam. Open the newest link from your institution.",
    "E-INVITE-UNKNOWN": "The server does not know this invitation. Open the newest link from your institution.",
    "E-INVITE-USED": (
        "This link has already been used, on another computer or by another person. Ask your institution for a new one."
    ),
    "E-INVITE-EXPIRED": "This link has expired. Ask your institution for a new one.",
    "E-POLICY-EXPIRED": "The exam is over, or its rules have expired. Ask your institution.",
    "E-TOKENS": "The server could not recognise this computer. Open the link again; then ask your institution.",
    "E-SECOND-PROGRAM": (
        "This exam is already open in another Fairlock. Go on there, or ask your institution to release it."
    ),
    "E-SESSION-UNKNOWN": "The server does not know this session any more. Ask your institution.",
    "E-SESSION-ENDED": "This exam has already been handed in or ended. There is nothing left to do.",
    "E-NOT-SIGNED-IN": "The server wants this computer to join again. Open the link again.",
    "E-NOT-ALLOWED": "The server does not allow this. Ask your institution.",
    "E-FORMAT": "The server did not understand this version of Fairlock. Install the newest version.",
    "E-RECORD": "The server refused a piece of the recording. It is kept on this computer; tell your institution.",
    "E-CONFLICT": "The server holds a different recording for the same time. Tell your institution.",
    "E-BUSY": "The server is overloaded. Try again in a minute.",
    "E-STORAGE": "The server can't store the recording at the moment. Try again in a few minutes.",
    "E-LIVE": "The server wants a piece of the recording once more; it is sent by itself. Try again in a minute.",
    # About the server, where our own message is for the log
    "E-ANSWER": (
        "Something else than the exam server answers, perhaps the sign-in page of this network. Open any page in your "
        "browser, sign in to the network if it asks, then open the link again."
    ),
    "E-SERVER-UNREACHABLE": _UNREACHABLE,
    "E-RETRY": _UNREACHABLE,
    "E-INTEGRITY": "What the server or this computer holds is not genuine. Do not continue; tell your institution.",
    "E-INTERNAL": _OWN_FAULT,
}
"""The whole text, for codes whose message says nothing to a candidate."""

ADVICE: Mapping[str, str] = {
    "E-FATAL": "What was recorded is safe; open the link again.",
    "E-JOURNAL-FULL": "What was recorded is safe; close other programs and open the link again.",
    "E-SOURCE-LOST": "Connect the device again, then open the link again.",
    "E-SPOOL-FULL": "Free some space on the disk, check the connection, then open the link again.",
    "E-TRACK-LOST": "Open the link again; if it happens again, tell your institution.",
    "E-MODEL-LIST": "Install Fairlock again.",
    **dict.fromkeys(
        ("E-DOWNLOAD", "E-MODEL-FORMAT", "E-MODEL-READ", "E-PACKAGE"),
        "Check your connection, then open the link again.",
    ),
}
"""What to do, for codes whose message says what happened and no more."""


def sentence(refused: Refused) -> str:
    """Return what the candidate reads when another of our processes refused."""
    code = refused.code
    if refused.advised:
        return refused.message
    if code in ADVICE:
        happened = refused.message[:1].upper() + refused.message[1:].rstrip(".")
        return f"{happened}. {ADVICE[code]}" if happened else f"{_OWN_FAULT} ({code})"
    return SENTENCES.get(code, f"The exam can't go on. Tell your institution the code {code[:40]}.")
