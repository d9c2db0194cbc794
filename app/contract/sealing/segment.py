"""Segments: five or so seconds of one track, sealed to every recipient that the policy names.

::

    "FLS1" ‖ u32 length ‖ header (canonical JSON) ‖ { u32 length ‖ SFrame }*

A fresh 32-byte data key per segment is wrapped with HPKE to each recipient; HPKE's ``info`` holds the header without
the wraps, so a wrap opens under exactly this header. Each SFrame has KID = track, CTR = index and metadata
= SHA-256(header) ‖ u32 index ‖ u8 final. ``commitment`` ties all wraps to one data key, because AES-GCM alone does not
commit to its key.
"""

import hmac
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from app.contract import canonical, schema
from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import TRACK_KEY_IDS, Track
from app.contract.policy import Recipient
from app.contract.schema import setting
from app.contract.sealing import keys
from app.contract.sealing.grants import INFO as GRANT_INFO
from app.contract.sealing.records import FORMAT_VERSION, Record
from app.contract.sealing.sframe import SFrameKey, overwrite

MAGIC = b"FLS1"
SUITE_NAME = "HPKE-P256-SHA256-AES256GCM/SFrame-5"
MAX_HEADER = 64 * 1024
MAX_FRAGMENT = 8 * 1024 * 1024
MAX_SEGMENT = 64 * 1024 * 1024
MAX_FRAGMENTS = 1_000_000
"""As many as a record may speak of. Without it a file of zeros would be millions of empty ones."""

_LENGTH = struct.Struct(">I")
_HPKE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO = b"fairlock-segment-v1\0"
_COMMIT = b"fairlock-commit-v1\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrap:
    """The data key for one recipient: HPKE's encapsulated key (65 bytes) ‖ ciphertext (48 bytes)."""

    recipient: str = setting(doc="Thumbprint of the recipient's key.", minimum=43, maximum=43)
    key: bytes = setting(doc="enc ‖ ct.", minimum=113, maximum=113)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentHeader:
    """What a segment says about itself, in the clear and authenticated."""

    version: int = setting(doc="Format version.", minimum=FORMAT_VERSION, maximum=FORMAT_VERSION)
    suite: str = setting(doc="Names of the algorithms.", maximum=100)
    session: str = setting(doc="Session id.", minimum=8, maximum=64)
    epoch: int = setting(doc="Counts program starts of the session from 0.", minimum=0, maximum=10_000)
    track: Track = setting(doc="Track.")
    sequence: int = setting(doc="Counts the track's segments of this epoch from 0.", minimum=0, maximum=10_000_000)
    mime: str = setting(doc="MIME type with codecs, as MediaSource wants it.", maximum=200)
    start_ms: int = setting(doc="Start on the session's timeline.", minimum=0)
    utc_ms: int = setting(doc="Wall clock at the start.", minimum=0)
    previous: bytes = setting(doc="Head of the chain when the segment was opened.", minimum=32, maximum=32)
    commitment: bytes = setting(doc="SHA-256 of the data key with a prefix.", minimum=32, maximum=32)
    wraps: tuple[Wrap, ...] = setting(doc="The data key for each recipient.", maximum=64)


class SegmentSealer:
    """Seals one segment as its fragments come; only it holds the segment's keys, and it can't reopen anything.

    Write ``preamble`` first, then what each ``seal`` returns, in order. The data key is overwritten once it is wrapped,
    what is derived from it after the final fragment, or by ``forget``.
    """

    def __init__(
        self,
        *,
        session: str,
        epoch: int,
        track: Track,
        sequence: int,
        mime: str,
        start_ms: int,
        utc_ms: int,
        previous: bytes,
        recipients: Sequence[Recipient],
    ) -> None:
        if not recipients:
            raise ValueError("a segment needs a recipient")
        data_key = bytearray(os.urandom(32))
        bare = SegmentHeader(
            version=FORMAT_VERSION,
            suite=SUITE_NAME,
            session=session,
            epoch=epoch,
            track=track,
            sequence=sequence,
            mime=mime,
            start_ms=start_ms,
            utc_ms=utc_ms,
            previous=previous,
            commitment=_commitment(data_key),
            wraps=(),
        )
        info = _info(bare)
        wraps = tuple(
            Wrap(recipient=r.id, key=_HPKE.encrypt(data_key, keys.load_p256(r.key), info)) for r in recipients
        )
        self.header = replace(bare, wraps=wraps)
        encoded = schema.dumps(self.header)
        self.preamble = MAGIC + struct.pack(">I", len(encoded)) + encoded
        self._bound = sha256(encoded).digest()
        self._key = SFrameKey(data_key, TRACK_KEY_IDS[track])
        overwrite(data_key)
        self._hash = sha256(self.preamble)
        self.size = len(self.preamble)
        self.fragments = 0
        self.complete = False

    def seal(self, plaintext: bytes, *, final: bool = False) -> bytearray:
        """Return the length-prefixed SFrame to append. After a final fragment nothing may follow."""
        if self.complete:
            raise ValueError("the final fragment was already sealed")
        if len(plaintext) > MAX_FRAGMENT - 64:
            raise ValueError(f"a fragment of {len(plaintext)} bytes is too large")
        metadata = _metadata(self._bound, self.fragments, final=final)
        framed = self._key.seal(self.fragments, plaintext, metadata, room=_LENGTH.size)
        _LENGTH.pack_into(framed, 0, len(framed) - _LENGTH.size)
        self._hash.update(framed)
        self.size += len(framed)
        self.fragments += 1
        self.complete = final
        if final:
            self.forget()
        return framed

    def forget(self) -> None:
        """Overwrite what can be overwritten of the keys: nothing can be sealed after this."""
        self._key.wipe()

    def record(self, *, previous: bytes, duration_ms: int, closed_ms: int) -> Record:
        """Return the record of what was sealed so far; call it after the final fragment."""
        return Record(
            version=FORMAT_VERSION,
            session=self.header.session,
            epoch=self.header.epoch,
            track=self.header.track,
            sequence=self.header.sequence,
            fragments=self.fragments,
            size=self.size,
            digest=self._hash.digest(),
            previous=previous,
            start_ms=self.header.start_ms,
            duration_ms=duration_ms,
            closed_ms=closed_ms,
            complete=self.complete,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedSegment:
    """A segment file taken apart without any key. ``torn`` counts bytes of an unfinished last fragment."""

    header: SegmentHeader
    header_bytes: bytes
    fragments: tuple[bytes, ...]
    torn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSegment:
    """A segment's plaintext fragments; ``complete`` says whether the final one was there.

    ``sound``: a verifier found nothing wrong with it, unless that something is missing from the chain before it.
    """

    header: SegmentHeader
    fragments: tuple[bytes, ...]
    complete: bool
    sound: bool = True


def parse(data: bytes) -> ParsedSegment:
    """Take a segment file apart; raises ``IntegrityError`` with ``BAD_FORMAT`` or ``UNKNOWN_SUITE``."""
    if data[:4] != MAGIC or len(data) < 8:
        raise IntegrityError(Outcome.BAD_FORMAT, "not a segment file")
    if len(data) > MAX_SEGMENT:
        raise IntegrityError(Outcome.BAD_FORMAT, f"is larger than {MAX_SEGMENT} bytes")
    (length,) = struct.unpack(">I", data[4:8])
    if length > MAX_HEADER or 8 + length > len(data):
        raise IntegrityError(Outcome.BAD_FORMAT, "the header is cut off or too large")
    header_bytes = data[8 : 8 + length]
    value = canonical.loads(header_bytes)
    if isinstance(value, dict) and isinstance(value.get("suite"), str) and value["suite"] != SUITE_NAME:
        raise IntegrityError(Outcome.UNKNOWN_SUITE, f"suite {value['suite']!r} is not known")
    header = schema.from_json(SegmentHeader, value)
    fragments: list[bytes] = []
    at = 8 + length
    while at + 4 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if size > MAX_FRAGMENT:
            raise IntegrityError(Outcome.BAD_FORMAT, f"fragment {len(fragments)} claims {size} bytes")
        if at + 4 + size > len(data):
            break
        if len(fragments) == MAX_FRAGMENTS:
            raise IntegrityError(Outcome.BAD_FORMAT, f"holds more than {MAX_FRAGMENTS} fragments")
        fragments.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return ParsedSegment(header=header, header_bytes=header_bytes, fragments=tuple(fragments), torn=len(data) - at)


def unwrap(header: SegmentHeader, private_key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the data key; raises ``WRONG_RECIPIENT``, ``BAD_WRAP`` or ``BAD_COMMITMENT``."""
    mine = keys.key_id(private_key.public_key())
    wrap = next((entry.key for entry in header.wraps if entry.recipient == mine), None)
    if wrap is None:
        raise IntegrityError(Outcome.WRONG_RECIPIENT, "the segment is not sealed to this key")
    return _unwrap(wrap, private_key, _info(replace(header, wraps=())), header.commitment)


def unwrap_granted(parsed: ParsedSegment, wrap: bytes, private_key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the data key from a wrap of ``grants`` (enc ‖ ct); raises ``BAD_WRAP`` or ``BAD_COMMITMENT``."""
    return _unwrap(wrap, private_key, GRANT_INFO + parsed.header_bytes, parsed.header.commitment)


def _unwrap(wrap: bytes, private_key: ec.EllipticCurvePrivateKey, info: bytes, commitment: bytes) -> bytes:
    try:
        data_key = _HPKE.decrypt(wrap, private_key, info)
    except (InvalidTag, ValueError):
        raise IntegrityError(Outcome.BAD_WRAP, "the wrapped key does not open under this header") from None
    if not hmac.compare_digest(_commitment(data_key), commitment):
        raise IntegrityError(Outcome.BAD_COMMITMENT, "the data key is not the one committed to")
    return data_key


def open_segment(data: bytes, private_key: ec.EllipticCurvePrivateKey) -> OpenedSegment:
    """Decrypt a segment file.

    A file that stops early opens with ``complete=False``; whether that is allowed is for the record to say
    (``verify``). Raises ``IntegrityError`` with the outcome of the first fault.
    """
    return open_parsed(parse(data), private_key)


def open_parsed(parsed: ParsedSegment, private_key: ec.EllipticCurvePrivateKey) -> OpenedSegment:
    """Decrypt a segment already taken apart; as ``open_segment``."""
    return open_with(parsed, unwrap(parsed.header, private_key))


def open_with(parsed: ParsedSegment, data_key: bytes) -> OpenedSegment:
    """Decrypt a segment already taken apart with its data key; raises ``BAD_FRAGMENT`` or ``BAD_FORMAT``."""
    key = SFrameKey(data_key, TRACK_KEY_IDS[parsed.header.track])
    bound = sha256(parsed.header_bytes).digest()
    opened, complete = [], False
    for index, sealed in enumerate(parsed.fragments):
        last = index == len(parsed.fragments) - 1
        try:
            opened.append(key.open(index, sealed, _metadata(bound, index, final=last)))
            complete = last
        except IntegrityError:
            if not last:
                raise
            # The file stops before its final fragment: torn by a crash, or cut.
            opened.append(key.open(index, sealed, _metadata(bound, index, final=False)))
    if parsed.torn and complete:
        raise IntegrityError(Outcome.BAD_FORMAT, "bytes follow the final fragment")
    return OpenedSegment(header=parsed.header, fragments=tuple(opened), complete=complete)


def _commitment(data_key: bytes | bytearray) -> bytes:
    digest = sha256(_COMMIT)
    digest.update(data_key)  # joined to the prefix, it would lie in memory once more
    return digest.digest()


def _info(bare: SegmentHeader) -> bytes:
    return _INFO + schema.dumps(bare)


def _metadata(bound: bytes, index: int, *, final: bool) -> bytes:
    return bound + struct.pack(">IB", index, final)
