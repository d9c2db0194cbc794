"""What the live feed's tests share: a feed moved by hand, and a server that takes its pushes or fails as it is told."""

from collections import defaultdict
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract import live
from app.contract.errors import FairlockError, Retryable
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from app.recorder.live_feed import FeedParts, LiveFeed
from capture.chain import Place
from tests.unit.capture_parts import SESSION

DEADLINE_S = 60.0
BUSY = Retryable("busy")


class Server:
    """Takes pushes, or answers with the next of ``faults``."""

    def __init__(self) -> None:
        self.pushes: list[list[Piece]] = []
        self.faults: list[FairlockError] = []
        self.tries = 0
        self.during: Callable[[], object] = lambda: None
        self.said: object = None

    def push(self, body: bytes) -> object:
        self.tries += 1
        self.during()
        if self.faults:
            raise self.faults.pop(0)
        assert len(body) <= live.MAX_PUSH
        self.pushes.append(list(live.decode(body)))
        return self.said

    def pieces(self) -> list[Piece]:
        return [piece for push in self.pushes for piece in push]


class Bench:
    """A feed by hand: no thread, a clock that stands still, and a lot that always falls the same."""

    def __init__(self, *, lot: float = 1.0) -> None:
        self.clock, self.server, self.key = ManualClock(), Server(), Ed25519PrivateKey.generate()
        self.held = False
        self.told: list[FairlockError] = []
        self.waits: list[str] = []
        self.due: list[bool] = []
        self.feed = LiveFeed(
            FeedParts(
                session=SESSION,
                signing_key=self.key,
                push=self.server.push,
                clock=self.clock,
                is_held=lambda: self.held,
                on_end=self.told.append,
                on_wait=lambda error: self.waits.append(error.code),
                on_due=self.due.append,
                jitter=lambda: lot,
            )
        )
        self._sizes: dict[Track, int] = {}
        self._sequences: dict[Track, int] = defaultdict(lambda: -1)

    def begin(self, track: Track = Track.CAMERA, size: int = 100) -> Place:
        """Let the next segment's file of a track take its first bytes."""
        self._sequences[track] += 1
        self._sizes[track] = 0
        self.write(track, size)
        return 0, track, self._sequences[track]

    def try_next(self) -> None:
        """Let the camera's next segment begin, and a beat come."""
        self.begin()
        self.feed.send()

    def write(self, track: Track = Track.CAMERA, size: int = 100) -> None:
        """Let the file take more."""
        offset = self._sizes[track]
        data = bytes([offset % 251]) * size
        self.feed.take((0, track, self._sequences[track]), offset, data)
        self._sizes[track] = offset + size

    def size(self, track: Track = Track.CAMERA) -> int:
        return self._sizes[track]

    def files(self) -> dict[Place, int]:
        """Return how much of each file arrived, having checked that nothing of it is missing."""
        arrived: dict[Place, int] = {}
        for piece in self.server.pieces():
            place = piece.epoch, piece.track, piece.sequence
            if piece.kind is PieceKind.OPENING:
                assert place not in arrived
                arrived[place] = 0
            else:
                assert piece.offset == arrived[place]
                arrived[place] += len(piece.data)
        return arrived


def a_bench() -> Bench:
    """For ``pytest.fixture`` in each module: a bench with a lot that makes no wait shorter."""
    return Bench()
