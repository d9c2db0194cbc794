"""The end of a session: the signed statement that nothing more will come, and the server's signed answer to it."""

from app.contract.errors import FairlockError
from app.contract.sealing import jws
from app.contract.sealing.records import COMPLETION_TYPE, END_TYPE, FORMAT_VERSION, Completion, End
from app.contract.times import Clock
from app.contract.wire import EndRequest
from app.recorder.client import ServerClient
from app.recorder.joining import JoinedSession
from capture.chain import Chain

ATTEMPTS = 3
PAUSE_S = 1.0


def end_session(joined: JoinedSession, chain: Chain, client: ServerClient, clock: Clock, *, reason: str) -> bool:
    """Sign and send the end; whether the server signed that it has everything this very end speaks of.

    Raises what the last attempt raised.
    """
    end = End(
        version=FORMAT_VERSION,
        session=joined.session,
        head=chain.head,
        records=chain.count,
        segments=chain.counts(),
        reason=reason,
        ended_ms=clock.now().utc_ms,
    )
    token = jws.sign(end, joined.signing_key, typ=END_TYPE)
    for attempt in range(ATTEMPTS):
        try:
            answer = client.end(joined.session, EndRequest(end=token))
        except FairlockError:
            if attempt == ATTEMPTS - 1:
                raise
            clock.sleep(PAUSE_S)
            continue
        return answer.completion is not None and _is_ours(joined, answer.completion, token)
    return False


def _is_ours(joined: JoinedSession, completion: str, end: str) -> bool:
    said = jws.verify(Completion, completion, joined.receipt_key, typ=COMPLETION_TYPE)
    return said.session == joined.session and said.end == jws.digest(end)
