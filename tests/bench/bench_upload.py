"""Upload of a backlog: the product's uploader to its server, against bare PUTs of the same files to nginx.

Both on loopback, both with two connections that stay open, turn by turn. Ours checks who sends, hashes, syncs file and
folder, writes the database so that a power cut loses nothing, signs a receipt, checks that and deletes the file; nginx
writes a file. The second peer also does what a receipt is worth: it hashes what nginx stored, syncs file and folder and
writes a row that survives a power cut. It asks nobody who sends, checks no signature and makes none.
"""

import hashlib
import http.client
import os
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import httpx

from app.clock import SystemClock
from app.contract.incidents import Track
from app.contract.sealing import jws, keys
from app.contract.sealing.records import Record
from app.demo.processes import free_port
from app.external import find_program
from app.recorder.client import ServerClient
from capture.durable import sync_folder
from capture.spool import Spool
from capture.uploader import Uploader, receipt_verifier
from tests.bench.table import Row
from tests.e2e import server_rig
from tests.e2e.server_rig import Application, Institution

WORKERS = 2
ROUNDS = 3
BLOCK = 256 * 1024
SIZES = {"200 KB": (200_000, 100), "8 MB": (8_000_000, 12)}
"""A segment of the camera as it is usually; and a long one, where bytes count and not requests."""

NGINX = """
{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; client_max_body_size 64m;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{ root {folder}/stored; dav_methods PUT; create_full_put_path on; }}
    }}
}}
"""


def run() -> list[Row]:
    """Return rates in MB/s; the best of some rounds."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data"
        server_rig.prepare(data)
        with server_rig.running(data) as server, nginx(folder) as port:
            for label, (size, number) in SIZES.items():
                ours, bare, kept = _measured(folder / label.replace(" ", ""), server.url, port, size, number)
                goal = "≥ 0.7" if size > 1_000_000 else ""
                rows += [
                    _row(f"upload of {label} segments / bare PUT to nginx", ours, bare, goal),
                    _row(f"upload of {label} segments / PUT to nginx, then hash, syncs and a row", ours, kept, ""),
                ]
    return rows


def _row(name: str, value: float, peer: float, goal: str) -> Row:
    return Row(
        name=name, value=round(value, 1), unit="MB/s", peer=round(peer, 1), ratio=round(value / peer, 2), goal=goal
    )


def _measured(folder: Path, url: str, port: int, size: int, number: int) -> tuple[float, float, float]:
    best = [0.0, 0.0, 0.0]
    for turn in range(ROUNDS):
        spool, application = _backlog(folder / str(turn), url, size, number)
        files = sorted(spool.folder.glob("*.fls"))
        whole = sum(path.stat().st_size for path in files) / 1e6
        bare = _timed(partial(_put_all, port, files, None))
        with closing(_Keeping(folder.parent / "stored", folder / f"{turn}.sqlite")) as keeping:
            kept = _timed(partial(_put_all, port, files, keeping.keep))
        client = ServerClient(url)
        client.use_token(application.bound.access_token)
        verify = receipt_verifier(keys.load_ed25519(application.policy.server.receipt_key))
        uploader = Uploader(spool, client, verify, SystemClock(), workers=WORKERS)
        ours = _timed(partial(_upload_all, uploader))
        spool.close()
        client.close()
        for place, took in enumerate((ours, bare, kept)):
            best[place] = max(best[place], whole / took)
    return best[0], best[1], best[2]


def _upload_all(uploader: Uploader) -> None:
    uploader.start()
    if not uploader.drain(300, lambda _sent, _total: None):
        raise RuntimeError("not everything arrived")
    uploader.stop(10)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _backlog(folder: Path, url: str, size: int, number: int) -> tuple[Spool, Application]:
    """Join an exam of its own and spool sealed segments of ``size`` bytes."""
    folder.mkdir(parents=True)
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        institution = Institution(http)
        institution.sign_in()
        exam = f"bench-{folder.parent.name}-{folder.name}"
        institution.exam(exam)
        application = Application(http, institution.invite(exam))
        application.join()
        application.bind()
    spool = Spool(folder / "spool", session=application.session, quota_bytes=1 << 34, clock=SystemClock())
    for _ in range(number):
        token, data = application.seal(Track.CAMERA, size=size)
        record = jws.unverified(Record, token)
        part = spool.folder / f"{record.epoch}-{record.track}-{record.sequence}.part"
        part.write_bytes(data)
        spool.commit(part, record, token)
    return spool, application


@contextmanager
def nginx(folder: Path) -> Iterator[int]:
    """Run an nginx that stores what is PUT."""
    port = free_port()
    (folder / "stored").mkdir()
    # Its workers must reach the folder, which belongs to us alone.
    user = "user root;" if os.name == "posix" and os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, user=user))
    program = find_program("nginx") or "nginx"
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            line.request("GET", "/")
            line.getresponse().read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
        finally:
            line.close()


class _Keeping:
    """What stands behind a receipt, done to the files that nginx stored. Used by all workers."""

    def __init__(self, stored: Path, rows: Path) -> None:
        self._stored, self._lock = stored, threading.Lock()
        self._rows = sqlite3.connect(rows, check_same_thread=False, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = FULL")
        self._rows.execute("CREATE TABLE segments (name TEXT PRIMARY KEY, digest BLOB)")

    def keep(self, name: str) -> None:
        """Return when file, name and row are on the disk."""
        with (self._stored / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
            os.fsync(file.fileno())
        sync_folder(self._stored)
        with self._lock:
            self._rows.execute("INSERT INTO segments VALUES (?, ?)", (name, digest))

    def close(self) -> None:
        """Close the rows."""
        self._rows.close()


def _put_all(port: int, files: Sequence[Path], keep: Callable[[str], None] | None) -> None:
    with ThreadPoolExecutor(WORKERS) as workers:
        shares = [files[number::WORKERS] for number in range(WORKERS)]
        for done in [workers.submit(_put_some, port, share, keep) for share in shares]:
            done.result()


def _put_some(port: int, files: Sequence[Path], keep: Callable[[str], None] | None) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30, blocksize=BLOCK)
    for path in files:
        with path.open("rb") as body:
            line.request("PUT", f"/{path.name}", body, {"Content-Length": str(path.stat().st_size)})
            answer = line.getresponse()
            answer.read()
        if answer.status not in (201, 204):
            raise RuntimeError(f"nginx answers {answer.status}")
        if keep is not None:
            keep(path.name)
    line.close()
