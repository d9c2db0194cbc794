"""The server as the recorder sees it: HTTP and JSON in, contract types and our own errors out.

Every method may raise ``Retryable`` (not reachable, busy) or ``UserFacing`` (refused; ``code`` is the server's);
sending a segment also ``IntegrityError`` when the server stores something else under its place.
"""

import hashlib
import json
import os
import re
import time
import urllib.request
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from app.contract import canonical, schema
from app.contract.errors import FairlockError, IntegrityError, Outcome, Retryable, UserFacing
from app.contract.sealing.records import Record
from app.contract.wire import (
    LIVE_HEADER,
    RECORD_HEADER,
    BindAnswer,
    BindRequest,
    EndAnswer,
    EndRequest,
    Heartbeat,
    HeartbeatAnswer,
    JoinAnswer,
    JoinRequest,
    PolicyAnswer,
    Refusal,
    SegmentAnswer,
)
from app.contract.words import words
from app.recorder.answer_reading import Answer, read
from app.recorder.transport import SecureAdapter, is_pin_mismatch

T = TypeVar("T")

CONNECT_S = 5.0
ANSWER_S = 15.0
LIVE_CONNECT_S, LIVE_ANSWER_S = 3.0, 5.0
"""What is watched live is worth nothing later, so nobody waits long for it."""
LONGEST_RETRY_S = 300.0
LONGEST_DETAIL = 300
_CODE = re.compile("E-[A-Z-]{1,38}")
"""What a server's codes look like; whoever answers in its place may say anything, and every code is written down."""


class ServerClient:
    """One server. Safe to use from several threads: each call makes its own short use of a pooled session."""

    def __init__(self, url: str, *, authorities: Path | None = None) -> None:
        """``authorities`` is a file of certificates to trust instead of the usual ones."""
        self._url = url
        # Without a session of the library, which takes as long as the request itself to look for what there is none of
        # here: cookies, redirections, and settings of the environment. REQUESTS_CA_BUNDLE would let a proxy read and
        # change everything, and a .netrc would replace our authorisation. The system's proxy is respected; it sees
        # nothing but TLS.
        self._secure = SecureAdapter()
        self._authorities = True if authorities is None else str(authorities)
        self._proxies = _proxies(url)
        self._bearer: str | None = None
        self.health = 0

    def use_token(self, access_token: str) -> None:
        """Authorise the calls that follow with a ``BindAnswer.access_token``."""
        self._bearer = access_token

    def pin(self, pins: Sequence[bytes]) -> None:
        """Talk only to a server with one of these keys from now on; an empty list takes any valid one."""
        self._secure.pin(pins)

    def policy(self, exam: str) -> PolicyAnswer:
        """Fetch an exam's signed policy; the caller checks the signature."""
        return self._call(PolicyAnswer, "GET", f"exams/{exam}/policy")

    def join(self, request: JoinRequest) -> JoinAnswer:
        """Exchange an invite for a session."""
        return self._call(JoinAnswer, "POST", "join", request)

    def bind(self, session: str, request: BindRequest) -> BindAnswer:
        """Bind this run of the program to the session."""
        return self._call(BindAnswer, "POST", f"sessions/{session}/bind", request)

    def heartbeat(self, session: str, beat: Heartbeat) -> HeartbeatAnswer:
        """Confirm that the application runs."""
        answer = self._call(HeartbeatAnswer, "POST", f"sessions/{session}/heartbeat", beat)
        self.health = answer.health
        return answer

    def put(self, record_jws: str, record: Record, path: Path) -> str:
        """Send a segment file, streamed from disk, and return the server's receipt."""
        try:
            with path.open("rb") as file:
                answer = self._call(
                    SegmentAnswer, "PUT", _address(record), headers={RECORD_HEADER: record_jws}, data=file
                )
        except UserFacing as error:
            if error.code == "E-RECORD" and _digest(path) != record.digest:
                raise IntegrityError(Outcome.DIGEST_MISMATCH, "the file on disk is not what was recorded") from error
            raise
        self.health = answer.health
        return answer.receipt

    def put_live(self, record_jws: str, record: Record) -> str:
        """Send the record alone of a segment whose file was pushed live, and return the server's receipt.

        Raises ``UserFacing`` with code ``E-LIVE`` when the server lacks some of it; from one that does not know this
        way, with another code.
        """
        headers = {RECORD_HEADER: record_jws, LIVE_HEADER: "1"}
        answer = self._call(SegmentAnswer, "PUT", _address(record), headers=headers, data=b"")
        self.health = answer.health
        return answer.receipt

    def push_live(self, session: str, pieces: bytes) -> None:
        """Send pieces of segments that are being written (``contract.live``), at most ``MAX_PUSH`` bytes of them.

        Never queues behind segments: each call that goes on at the same time has a connection of its own.
        """
        headers = {"Content-Type": "application/octet-stream"}
        timeout_s = (LIVE_CONNECT_S, LIVE_ANSWER_S)
        response = self._ask("POST", f"sessions/{session}/live", pieces, headers, timeout_s=timeout_s)
        if response.status != 204:
            raise _refusal(response)

    def end(self, session: str, request: EndRequest) -> EndAnswer:
        """Say that nothing more will come."""
        return self._call(EndAnswer, "POST", f"sessions/{session}/end", request)

    def close(self) -> None:
        """Close pooled connections."""
        self._secure.close()

    @cached_property
    def _base(self) -> str:
        """The API's address as it is sent; raises ``requests.RequestException`` for what is none."""
        return str(requests.Request("GET", f"{self._url}/api/v1").prepare().url)

    def _call(
        self,
        answer: type[T],
        method: str,
        path: str,
        body: object | None = None,
        *,
        headers: dict[str, str] | None = None,
        data: Any = None,
    ) -> T:
        sent = dict(headers or {})
        if body is not None:
            data, sent["Content-Type"] = schema.dumps(body), "application/json"
        response = self._ask(method, path, data, sent)
        if 200 <= response.status < 300:
            try:
                return schema.from_json(answer, _json(response))
            except IntegrityError as error:
                raise _not_an_answer() from error
        raise _refusal(response)

    def _ask(
        self,
        method: str,
        path: str,
        data: Any,
        headers: Mapping[str, str],
        *,
        timeout_s: tuple[float, float] = (CONNECT_S, ANSWER_S),
    ) -> Answer:
        """Return whatever a server answers."""
        request = requests.PreparedRequest()
        request.method, request.body = method, data
        request.headers = CaseInsensitiveDict({"User-Agent": "Fairlock", **headers})
        if self._bearer:
            request.headers["Authorization"] = f"Bearer {self._bearer}"
        if data is not None:
            size = len(data) if isinstance(data, bytes) else os.fstat(data.fileno()).st_size
            request.headers["Content-Length"] = str(size)
        try:
            request.url = f"{self._base}/{quote(path)}"
            return read(
                self._secure.send(
                    request, stream=True, timeout=timeout_s, verify=self._authorities, proxies=self._proxies
                )
            )
        except requests.exceptions.SSLError as error:
            raise _not_secure(error) from error
        except (
            requests.RequestException,
            HTTPError,
            ValueError,
        ) as error:  # ValueError: what can't be sent, or is too long
            raise Retryable(f"The server can't be reached: {error}", code="E-SERVER-UNREACHABLE") from error


def _address(record: Record) -> str:
    return f"sessions/{record.session}/segments/{record.epoch}/{record.track}/{record.sequence}"


def _not_secure(error: requests.exceptions.SSLError) -> UserFacing:
    if is_pin_mismatch(error):
        return UserFacing(
            "Somebody else than your institution's server answers in its name.",
            advice="Use another network, without a filter that opens encrypted connections, or ask your institution.",
            code="E-PIN",
        )
    return UserFacing(
        "The server's certificate is not valid, or its encryption is out of date.",
        advice="Check this computer's date and network, or ask your institution.",
        code="E-CERTIFICATE",
    )


def _json(response: Answer) -> canonical.Json:
    try:
        value: canonical.Json = json.loads(response.body)
        canonical.dumps(value)  # or it holds what can't be told to others: half of a surrogate pair, say
    except (ValueError, RecursionError) as error:
        raise _not_an_answer() from error
    return value


def _not_an_answer() -> Retryable:
    return Retryable("The server's answer is not its own; is a proxy in between?", code="E-ANSWER")


def _refusal(response: Answer) -> FairlockError:
    status = response.status
    if status < 400:  # a server of ours sends nobody elsewhere
        return _not_an_answer()
    if status == 429 or status >= 500:
        after_s = _retry_after_s(response.headers.get("Retry-After", ""))
        return Retryable(f"The server answers {status}.", after_s=after_s, code="E-BUSY")
    try:
        refusal = schema.from_json(Refusal, _json(response))
    except FairlockError:
        refusal = Refusal(code="E-ANSWER", detail=f"status {status}")
    if refusal.code == "E-CONFLICT":
        return IntegrityError(Outcome.DIGEST_MISMATCH, "the server stores something else in this place")
    code = refusal.code if _CODE.fullmatch(refusal.code) else "E-ANSWER"
    detail = " ".join(words(refusal.detail, LONGEST_DETAIL).split())
    return UserFacing(f"The server refused: {detail or code}.", advice="", code=code)


def _retry_after_s(text: str) -> float | None:
    """Return what ``Retry-After`` asks for (RFC 9110, 10.2.3: seconds or a date), bounded: nobody may say "never"."""
    try:
        after_s = (
            float(text) if not text or text[0].isdigit() else parsedate_to_datetime(text).timestamp() - time.time()
        )
    except (ValueError, OverflowError, OSError):  # of a year, say, that no clock can hold: Windows' begins in 1970
        return None
    return min(max(0.0, after_s), LONGEST_RETRY_S)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _proxies(url: str) -> dict[str, str]:
    """Return the system's proxies for ``url``: none for this machine and for what the system exempts."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return {}  # no address, as the first call will say
    if host in ("127.0.0.1", "localhost", "::1") or urllib.request.proxy_bypass(host):
        return {}
    return urllib.request.getproxies()
