"""After a power cut at any moment: the next start finds one whole chain, and at most the last second is missing."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.contract.sealing import jws, keys
from app.contract.sealing.records import RECORD_TYPE, Record, genesis
from capture.recovery import recover
from tests.e2e.power_child import STEP_MS
from tests.faults.power import Call, Disk, python, traced
from tests.unit.capture_parts import POLICY_DIGEST, SESSION, Workshop

ROOT = Path(__file__).parents[2]
CUTS = 60
SEED = 20_261_123
SYNC_MS = 1_000
SHARED_MEMORY = "-shm"  # SQLite builds it anew; it is never synced


class Said:
    """What the program had said before the power went."""

    def __init__(self) -> None:
        self.key: Ed25519PublicKey | None = None
        self.fragments: dict[str, int] = {}
        self.last_ms: dict[str, int] = defaultdict(int)
        self.received: set[str] = set()

    def hear(self, line: str) -> None:
        match line.split():
            case ["fragment", track, digest, at_ms]:
                self.fragments[digest] = self.last_ms[track] = int(at_ms)
            case ["received", stem]:
                self.received.add(stem)
            case [public]:
                self.key = keys.load_ed25519(bytes.fromhex(public))


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Call]]:
    folder = tmp_path_factory.mktemp("traced")
    (folder / "session").mkdir()
    command = python("tests.e2e.power_child", str(folder / "session"))
    return folder / "session", traced(command, folder / "log", cwd=ROOT)


def cuts(root: Path, calls: list[Call]) -> Iterator[tuple[dict[str, bytes], Said]]:
    """Return what ``CUTS`` power cuts leave, and what had been said by then."""
    dice = random.Random(SEED)  # noqa: S311  (seeded, so that a failure can be repeated)
    ours = [number for number, call in enumerate(calls) if call.path.startswith(str(root))]
    moments = Counter(dice.choices(ours, k=CUTS))
    disk, said = Disk(root), Said()
    for number, call in enumerate(calls):
        for _ in range(moments[number]):
            yield disk.after_cut(dice), said
        disk.do(call)
        if call.path.startswith("pipe:") or call.path == "/dev/null":
            said.hear(call.data.decode())


def test_a_power_cut_at_any_moment(calls: tuple[Path, list[Call]], tmp_path: Path) -> None:
    root, done = calls
    torn = 0
    for number, (left, said) in enumerate(cuts(root, done)):
        folder = tmp_path / str(number)
        (folder / "spool").mkdir(parents=True)
        for name, content in left.items():
            if not name.endswith(SHARED_MEMORY):
                (folder / Path(name).relative_to(root)).write_bytes(content)
        torn += check(folder, said)
    assert torn  # else no cut was at an interesting moment


def check(folder: Path, said: Said) -> int:
    """Start again in ``folder`` and count what is there; return how many fragments were lost."""
    workshop = Workshop(folder, epoch=1)
    recover(workshop.spool, workshop.chain, workshop.clock)
    known = {keys.key_id(key): key for key in (said.key, workshop.key.public_key()) if key is not None}
    previous, found, received = genesis(SESSION, POLICY_DIGEST), set[str](), set[str]()
    for token in (folder / "chain.jws").read_text().splitlines():
        record = jws.verify(Record, token, known[jws.key_id_of(token)], typ=RECORD_TYPE)
        assert record.previous == previous
        previous = jws.digest(token)
        path = workshop.spool.folder / f"{record.epoch}-{record.track}-{record.sequence}.fls"
        if path.exists():
            assert (sha256(path.read_bytes()).digest(), path.stat().st_size) == (record.digest, record.size)
            found |= {sha256(piece).hexdigest() for piece in workshop.open(record).fragments}
        else:
            assert workshop.spool.receipt(jws.digest(token)) == "receipt", path.name
            received.add(path.stem)
    assert not list(workshop.spool.folder.glob("*.part"))
    on_server = {sha256(f"{track} {at} ".encode() * 40).hexdigest() for track, at in _received(received)}
    lost = {digest: at_ms for digest, at_ms in said.fragments.items() if digest not in found | on_server}
    newest = max(said.last_ms.values(), default=0)
    assert said.received <= received
    assert all(at_ms > newest - SYNC_MS - STEP_MS for at_ms in lost.values()), (lost, newest)
    workshop.close()
    return len(lost)


def _received(stems: set[str]) -> Iterator[tuple[str, int]]:
    """Return the fragments (track and time) of the segments that the server has; each holds three seconds."""
    for stem in stems:
        _, track, sequence = stem.rsplit("-", 2)
        for at_ms in range(int(sequence) * 3_000, (int(sequence) + 1) * 3_000, STEP_MS):
            yield track, at_ms
