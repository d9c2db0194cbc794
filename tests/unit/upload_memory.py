"""Uploads a large backlog in a process of its own and prints by how many MiB that grew; ``test_upload_memory`` runs it.

The spool is filled past its own interface, which would sync ten thousand times: the files are one file's links.
"""

import os
import re
import sqlite3
import sys
import threading
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import SystemClock
from app.contract.incidents import Track
from app.contract.schema import dumps
from app.contract.sealing import jws
from app.contract.sealing.records import FORMAT_VERSION, RECORD_TYPE, Record
from app.contract.wire import RECORD_HEADER, SegmentAnswer
from app.recorder.client import ServerClient
from capture.spool import Spool
from capture.uploader import Uploader, receipt_verifier
from tests.unit.capture_parts import signed_receipt

KEY = Ed25519PrivateKey.generate()
BLOCK = 64 * 1024


class Slow(BaseHTTPRequestHandler):
    """Reads little by little, keeps nothing, signs a receipt."""

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, BLOCK)))
        token = self.headers[RECORD_HEADER]
        record = jws.unverified(Record, token)
        body = dumps(SegmentAnswer(receipt=signed_receipt(record, token, KEY), health=10))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def fill(folder: Path, *, number: int, size: int, large: int) -> None:
    """Put ``number`` segments of ``size`` bytes into the spool, and before them three of ``large`` bytes."""
    Spool(folder, session="session-0001", quota_bytes=1 << 40, clock=SystemClock()).close()
    rows, sources = [], {}
    for length in (size, large):
        sources[length] = folder / f"source-{length}"
        with sources[length].open("wb") as file:
            file.truncate(length)
    bare = Record(
        version=FORMAT_VERSION,
        session="session-0001",
        epoch=0,
        track=Track.CAMERA,
        sequence=0,
        fragments=1,
        size=size,
        digest=bytes(32),
        previous=bytes(32),
        start_ms=0,
        duration_ms=5_000,
        closed_ms=0,
        complete=True,
    )
    digests = {length: sha256(source.read_bytes()).digest() for length, source in sources.items()}
    for sequence in range(number + 3):
        length = large if sequence < 3 else size
        record = replace(bare, sequence=sequence, size=length, digest=digests[length])
        token = jws.sign(record, KEY, typ=RECORD_TYPE)
        os.link(sources[length], folder / f"0-camera-{sequence}.fls")
        rows.append((jws.digest(token), f"0-camera-{sequence}", length, token))
    with sqlite3.connect(folder / "index.sqlite") as index:
        index.executemany("INSERT INTO segments (record, name, size, jws, state) VALUES (?, ?, ?, ?, 'pending')", rows)
    index.close()


def peak_mib() -> float:
    """Return the most memory this program ever had; ``getrusage`` would count who started it too."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def main() -> None:
    """Send some hundred of the waiting segments, the large ones first, and print the growth of the peak."""
    folder, number, wanted = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    before = peak_mib()
    spool = Spool(folder, session="session-0001", quota_bytes=1 << 40, clock=SystemClock())
    client = ServerClient(f"http://127.0.0.1:{server.server_address[1]}")
    enough, received = threading.Event(), [0]

    def count(_record: Record) -> None:
        received[0] += 1
        if received[0] >= wanted:
            enough.set()

    verify = receipt_verifier(KEY.public_key())
    uploader = Uploader(spool, client, verify, SystemClock(), workers=4, on_received=count)
    uploader.start()
    finished = enough.wait(100)
    uploader.stop(20)
    assert finished, f"{received[0]} of {wanted} arrived"
    assert spool.totals().pending >= number - wanted - 4
    print(peak_mib() - before)


if __name__ == "__main__":
    main()
