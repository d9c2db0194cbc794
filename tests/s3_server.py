"""A private S3-compatible store for tests: SeaweedFS on ports of 127.0.0.1, one bucket, a prefix per test.

A real store with real multipart uploads. What it does differently from others shows only where those are run.
"""

import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "evidence"
ACCESS, SECRET = "test-access", "test-secret"
PARTS = ("master", "volume", "filer", "s3")
START_S = 90
TRIES = 3
"""The ports are free when they are chosen, and eight at a time can't be held until the store takes them."""


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running store at ``endpoint``."""

    endpoint: str

    def client(self) -> "S3Client":
        """Return a client of the test's own, beside the server's."""
        patience = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=patience,
        )

    def settings(self) -> str:
        """Return the table ``[store]`` of a ``server.toml`` with a prefix of its own."""
        values = {"endpoint": self.endpoint, "bucket": BUCKET, "region": "us-east-1"}
        values |= {"prefix": secrets.token_hex(6), "access_key": ACCESS, "secret_key": SECRET}
        return "[store]\n" + "".join(f'{name} = "{value}"\n' for name, value in values.items())


def program() -> Path:
    """Return SeaweedFS' program; skips the test where it is not installed."""
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if found is None:
        pytest.skip("SeaweedFS is not installed (it comes with the locked packages on Linux)")
    return Path(found)


@contextmanager
def running() -> Iterator[S3Server]:
    """Run a store until the block ends."""
    with ExitStack() as stack:
        for left in reversed(range(TRIES)):
            try:
                server = stack.enter_context(_running())
            except EndedAtOnceError:
                if not left:
                    raise
            else:
                break
        yield server


class EndedAtOnceError(AssertionError):
    """The store ended before it answered, as it does when somebody took one of its ports meanwhile."""


@contextmanager
def _running() -> Iterator[S3Server]:
    folder = Path(tempfile.mkdtemp(prefix="fairlock-s3-"))
    identity = {"name": "test", "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = dict(zip([f"{part}.port{kind}" for part in PARTS for kind in ("", ".grpc")], _free(8), strict=True))
    options = {"ip": "127.0.0.1", "ip.bind": "127.0.0.1", "dir": folder, "filer": "true", "s3": "true"}
    # Nothing is told to anybody, and nothing opens that is not asked for.
    options |= {"master.telemetry": "false", "s3.port.iceberg": "0", "s3.port.lance": "0"}
    # Each bucket takes seven volumes with its first object and is refused one when none is left; they are empty files.
    options |= {"s3.config": folder / "s3.json", "master.volumeSizeLimitMB": "256", "volume.max": "100"}
    given = [f"-{name}={value}" for name, value in (options | ports).items()]
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program(), "server", *given], stdout=log, stderr=log, cwd=folder)
        server = S3Server(f"http://127.0.0.1:{ports['s3.port']}")
        try:
            _await(server, process, folder / "log")
            yield server
        finally:
            process.kill()  # nothing of it is to be kept
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free(count: int) -> list[int]:
    with ExitStack() as open_together:
        sockets = [open_together.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def _await(server: S3Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    client = server.client()
    deadline = time.monotonic() + START_S
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
        except (BotoCoreError, ClientError):
            if process.poll() is not None:
                raise EndedAtOnceError(f"the store ended: {log.read_text()[-2000:]}") from None
            if time.monotonic() > deadline:
                raise AssertionError(f"the store did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.1)
        else:
            return
