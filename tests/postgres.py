"""A private PostgreSQL for tests: one cluster in a temporary folder, reached by a socket there, a database per test.

PostgreSQL refuses to run as root; then it runs as ``nobody``.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

START_S = 60


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL whose socket lies in ``folder``."""

    folder: Path

    def url(self, name: str) -> str:
        """Return the address of the database ``name``."""
        return f"postgresql://fairlock@/{name}?host={self.folder}"

    def database(self) -> str:
        """Make an empty database and return its address."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


def programs() -> Path:
    """Return the folder of ``initdb`` and ``postgres``; skips the test where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("PostgreSQL is not installed (make develop installs it)")
    return found[-1].parent if found else Path(str(on_path)).parent


@contextmanager
def running() -> Iterator[Cluster]:
    """Run a cluster until the block ends."""
    binaries = programs()
    folder = Path(tempfile.mkdtemp(prefix="fairlock-postgres-"))
    who = "nobody" if os.geteuid() == 0 else None
    if who:
        shutil.chown(folder, who)
    data = folder / "data"
    initdb: list[str | Path] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "fairlock",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    initdb.append("--no-sync")
    process: subprocess.Popen[bytes] | None = None
    try:
        subprocess.run(initdb, check=True, capture_output=True, user=who, timeout=START_S, cwd=folder)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "max_connections": "200",
        }
        command: list[str | Path] = [binaries / "postgres", "-D", data]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (folder.with_suffix(".log")).open("wb") as log:
            process = subprocess.Popen(command, stderr=log, stdout=log, user=who, cwd=folder)
        cluster = Cluster(folder)
        _await(cluster)
        yield cluster
    finally:
        if process is not None:
            process.send_signal(2)  # SIGINT: end now, without waiting for anybody
            process.wait(START_S)
        shutil.rmtree(folder)
        folder.with_suffix(".log").unlink(missing_ok=True)


def _await(cluster: Cluster) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            psycopg.connect(cluster.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
