"""A store that can't be reached, or only over a network that cuts, delays, loses and repeats what is sent to it."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.clock import ManualClock
from app.contract.errors import UserFacing
from app.contract.incidents import Track
from app.contract.sealing import jws
from server import settings, setup
from server.storage.base import Place, SegmentStore, StorageFull
from tests.e2e.server_rig import PASSWORD, opened, timed
from tests.faults.network import Answer, Network
from tests.s3_server import BUCKET, S3Server

SEED = 7
SHARE = 0.25
SESSION = "trouble-session"


@contextmanager
def _through(server: S3Server, folder: Path, *, share: float) -> Iterator[tuple[Network, Path]]:
    """Yield a network before the store, calm as yet, and settings that lead through it."""
    with Network(urlsplit(server.endpoint).port or 0, seed=SEED, share=share).running() as network:
        path = folder / settings.NAME
        path.write_text(server.settings().replace(server.endpoint, network.url))
        yield network, path


def _bring(store: SegmentStore, place: Place, data: bytes) -> int:
    """Do what an application does: try until it is told that the segment is stored. Return the number of tries."""
    for attempt in range(1, 100):
        try:
            upload = store.begin(place)
            try:
                upload.write(data)
                upload.finish()
                upload.publish()
            finally:
                upload.discard()
        except StorageFull:
            continue
        return attempt
    raise AssertionError("a hundred tries were not enough")


def test_what_was_confirmed_over_a_bad_network_is_there_and_whole(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.storage.s3_client.TRIES", 2)  # it waits before each
    wanted = {sequence: os.urandom(40_000 + sequence) for sequence in range(12)}
    with _through(s3_server, tmp_path, share=0.0) as (network, path):
        store = settings.open_store(settings.load(path), tmp_path)
        network.share = SHARE
        tries = [
            _bring(store, Place(session=SESSION, epoch=0, track=Track.CAMERA, sequence=sequence), data)
            for sequence, data in wanted.items()
        ]
        network.calm()
        assert network.met, "nothing went wrong"
        for sequence, data in wanted.items():
            with store.open(Place(session=SESSION, epoch=0, track=Track.CAMERA, sequence=sequence)) as file:
                assert file.read() == data, tries
        monkeypatch.setattr("server.storage.s3.ABANDONED_S", -60)
        settings.open_store(settings.load(path), tmp_path)  # what could not be aborted then, the next start aborts
        prefix = settings.load(path).store.prefix
        client = s3_server.client()
        assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix), "a part was left behind"
        store.shred(SESSION, 0)
    assert "Contents" not in client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)


def test_while_the_store_is_away_nothing_is_acknowledged_and_nothing_called_lost(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.storage.s3_client.TRIES", 1)
    data = tmp_path / "data"
    with _through(s3_server, tmp_path, share=0.0) as (network, path):
        setup.prepare(data, admin="ada", password=PASSWORD, settings_file=path)
        with timed(data, ManualClock()) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
            institution = opened(http, "away")
            app = institution.seat("away")
            stored, waiting = app.seal(Track.CAMERA), app.seal(Track.CAMERA)
            assert app.put(*stored).status_code == 201
            there, network.upstream = network.upstream, 1  # nobody listens there
            answer = app.put(*waiting)
            assert (answer.status_code, answer.json()["code"]) == (503, "E-STORAGE")
            assert int(answer.headers["Retry-After"]) >= 1
            segment = f"/api/v1/sessions/{app.session}/segments/0/camera"
            assert http.get(f"{segment}/0").status_code == 503
            network.upstream = there
            assert app.put(*waiting).status_code == 201
            assert http.get(f"{segment}/1").content == waiting[1]
            assert institution.call("GET", f"/api/v1/sessions/{app.session}")["server_incidents"] == []


def test_segments_from_before_files_bore_their_records_are_read(tmp_path: Path) -> None:
    data = tmp_path / "data"
    setup.prepare(data, admin="ada", password=PASSWORD)
    with timed(data, ManualClock()) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        institution = opened(http, "before")
        app = institution.seat("before")
        sealed = [app.seal(Track.CAMERA) for _ in range(2)]
        assert [app.put(*one).status_code for one in sealed] == [201, 201]
        folder = data / "sessions" / app.session
        (now,) = folder.glob("0-camera-0.*")
        assert now.name == f"0-camera-0.{jws.digest(sealed[0][0]).hex()}.fls"
        now.rename(folder / "0-camera-0.fls")
        assert app.put(*sealed[0]).status_code == 200
        assert http.get(f"/api/v1/sessions/{app.session}/segments/0/camera/0").content == sealed[0][1]
        (tmp_path / "export.zip").write_bytes(http.get(f"/api/v1/sessions/{app.session}/export").content)
        assert institution.call("GET", f"/api/v1/sessions/{app.session}")["server_incidents"] == []
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert [archive.read(f"segments/0-camera-{number}.fls") for number in range(2)] == [one[1] for one in sealed]


def test_bucket_that_is_not_there_is_a_sentence(s3_server: S3Server, tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_text(s3_server.settings().replace(f'"{BUCKET}"', '"another"'))
    with pytest.raises(UserFacing, match=r"The bucket another can't be used .*server\.toml"):
        settings.open_store(settings.load(path), tmp_path)


class _Narrow(Network):
    """A store whose key may do everything but list uploads."""

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        if method == "GET" and "uploads" in path:
            return Answer(status=403, headers=[], body=b"<Error><Code>AccessDenied</Code></Error>")
        return super().forward(method, path, headers, body)


def test_key_that_may_not_list_uploads_is_a_sentence(s3_server: S3Server, tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    with _Narrow(urlsplit(s3_server.endpoint).port or 0, seed=0, share=0.0).running() as network:
        path.write_text(s3_server.settings().replace(s3_server.endpoint, network.url))
        with pytest.raises(UserFacing, match=r"the store refuses: AccessDenied.*the right to list"):
            settings.open_store(settings.load(path), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        '[store]\nbuket = "x"',
        "[store]\nbucket = 1",
        "[other]",
        "store = 3",
        "not toml",
        '[database]\nurl = "mysql://x"',
    ],
)
def test_settings_that_are_not_understood_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_text(text)
    with pytest.raises(UserFacing):
        settings.open_database(settings.load(path), tmp_path)
