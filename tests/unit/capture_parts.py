"""Real parts, put together small, for the tests of capture."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import av
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Codec, Recipient
from app.contract.sealing import jws, keys
from app.contract.sealing.records import FORMAT_VERSION, RECEIPT_TYPE, Receipt, Record
from app.contract.sealing.segment import OpenedSegment, SegmentSealer, open_segment
from app.contract.times import Clock, Instant
from capture.chain import Chain
from capture.encoder import VideoEncoder
from capture.fake import FakeVideo
from capture.fragments import Fragment
from capture.segmenter import OnWritten, Segmenter
from capture.spool import Spool

SESSION = "session-0001"
POLICY_DIGEST = b"p" * 32
EXAMINER = ec.derive_private_key(1234567, ec.SECP256R1())


def recipient(key: ec.EllipticCurvePrivateKey = EXAMINER) -> Recipient:
    public = key.public_key()
    return Recipient(id=keys.key_id(public), name="Examiner", key=keys.public_bytes(public))


def new_sealer(*recipients: Recipient) -> SegmentSealer:
    """Return the sealer of a session's first segment; without ``recipients`` it is sealed to the examiner."""
    return SegmentSealer(
        session=SESSION,
        epoch=0,
        track=Track.CAMERA,
        sequence=0,
        mime="video/mp4",
        start_ms=0,
        utc_ms=0,
        previous=bytes(32),
        recipients=recipients or (recipient(),),
    )


def signed_receipt(record: Record, token: str, key: Ed25519PrivateKey) -> str:
    """Return the receipt of a record, as a server signs it with ``key``."""
    said = Receipt(
        version=FORMAT_VERSION,
        session=record.session,
        record=jws.digest(token),
        digest=record.digest,
        size=record.size,
        received_ms=1,
    )
    return jws.sign(said, key, typ=RECEIPT_TYPE)


@dataclass
class Workshop:
    """A spool and a chain in a folder, and what was closed in them."""

    folder: Path
    clock: Clock = field(default_factory=ManualClock)
    quota_bytes: int = 1 << 30
    epoch: int = 0
    closed: list[tuple[Record, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.origin: Instant = self.clock.now()
        self.key = Ed25519PrivateKey.generate()
        self.spool = Spool(self.folder / "spool", session=SESSION, quota_bytes=self.quota_bytes, clock=self.clock)
        self.chain = Chain(self.folder / "chain.jws", SESSION, POLICY_DIGEST, self.key)

    def segmenter(
        self,
        track: Track,
        *,
        mime: str = "application/x",
        init: bytes = b"",
        segment_ms: int = 5_000,
        on_written: OnWritten | None = None,
    ) -> Segmenter:
        return Segmenter(
            track=track,
            spool=self.spool,
            chain=self.chain,
            epoch=self.epoch,
            recipients=[recipient()],
            segment_ms=segment_ms,
            mime=mime,
            init=init,
            clock=self.clock,
            timeline_origin=self.origin,
            on_closed=lambda record, token: self.closed.append((record, token)),
            on_written=on_written,
        )

    def open(self, record: Record) -> OpenedSegment:
        path = self.spool.folder / f"{record.epoch}-{record.track}-{record.sequence}.fls"
        return open_segment(path.read_bytes(), EXAMINER)

    def chain_on_disk(self) -> list[Record]:
        """Return the records, having checked signatures of this epoch's key and every link."""
        tokens = (self.folder / "chain.jws").read_text().splitlines()
        return [jws.unverified(Record, token) for token in tokens]

    def close(self) -> None:
        self.spool.close()
        self.chain.close()


def film(
    clock: Clock, origin: Instant, *, seconds: int, codec: Codec = Codec.VP9, track: Track = Track.CAMERA, fps: int = 15
) -> tuple[VideoEncoder, list[Fragment]]:
    """Return the encoder and the fragments of some seconds of made-up pictures."""
    source = FakeVideo(clock, track=track, fps=fps)
    encoder = VideoEncoder(
        track, width=source.width, height=source.height, fps=fps, codec=codec, timeline_origin=origin
    )
    source.open()
    fragments = [f for _ in range(seconds * fps) for f in encoder.encode(source.read())]
    return encoder, fragments + encoder.finish()


def picture_times(data: bytes) -> list[float]:
    """Decode all pictures of an MP4; return their times in seconds."""
    with av.open(io.BytesIO(data), "r") as container:
        return [frame.time for frame in container.decode(video=0)]


def sound_length(data: bytes) -> tuple[float, int]:
    """Decode all sound of an MP4; return its start in seconds and its number of samples."""
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(audio=0))
    return frames[0].time or 0.0, sum(frame.samples for frame in frames)
