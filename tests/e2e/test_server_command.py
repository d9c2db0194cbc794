"""The command line: what it makes, and the sentences with which it refuses."""

import json
import socket
import stat
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from server.__main__ import main
from server.db import sqlite
from server.settings import DATABASE
from tests.e2e.server_rig import PASSWORD, launch, prepare


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    prepare(folder)
    return folder


def _init(data: Path, password: str = PASSWORD, *, settings: Path | None = None) -> int:
    secret = data.parent / "password"
    secret.write_text(password)
    more = ["--settings", str(settings)] if settings else []
    return main(["init", "--data", str(data), "--admin", "ada", "--password-file", str(secret), *more])


def test_init_again_changes_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in (data / "keys").iterdir()}
    assert _init(data, "another password") == 0
    assert "was there already" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in (data / "keys").iterdir()} == before


def test_secrets_are_for_the_owner_only(data: Path) -> None:
    for path in [data, *data.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_folder_that_was_there_is_closed_to_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    assert _init(data) == 0
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_short_password_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _init(tmp_path / "data", "short") == 2
    assert "at least 8 characters" in capsys.readouterr().err


def test_port_in_use_is_a_sentence(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--data", str(data), "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"Port {port} on 127.0.0.1 is in use by another program. End that program, or take another port with --port.\n"
    )


def test_missing_folder_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--data", str(tmp_path / "nowhere"), "--port", "0"]) == 2
    assert "Run `fairlock-server init` first." in capsys.readouterr().err


def test_folder_without_keys_is_a_sentence(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "keys" / "token.pem").unlink()
    assert main(["serve", "--data", str(data), "--port", "0"]) == 2
    assert "restore the folder from the backup" in capsys.readouterr().err


def test_folder_that_is_a_file_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").write_text("not a folder")
    assert _init(tmp_path / "data") == 2
    assert "can't be written to" in capsys.readouterr().err


def test_newer_schema_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = sqlite.connect(data / DATABASE)
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    assert main(["serve", "--data", str(data), "--port", "0"]) == 2
    assert "newer version of the server (schema 9999)" in capsys.readouterr().err


def test_documents_and_headers(data: Path) -> None:
    process = launch(["serve", "--data", str(data), "--port", "0"], log=data.parent / "server.log")
    try:
        with httpx.Client(base_url=process.url, trust_env=False) as http:
            openapi = http.get("/api/openapi.json").json()
            docs = http.get("/api/docs")
            missing = http.get("/console/nothing.js")
    finally:
        process.stop()
    put = openapi["paths"]["/api/v1/sessions/{session}/segments/{epoch}/{track}/{sequence}"]["put"]
    assert "receipt" in json.dumps(put["responses"]["201"])
    assert openapi["paths"]["/api/v1/join"]["post"]["requestBody"]["content"]["application/json"]["schema"]["required"]
    assert "HeartbeatAnswer" in docs.text
    assert "<script" not in docs.text
    assert missing.status_code == 404
    for header in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options"):
        assert header in docs.headers


def test_a_folder_of_others_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    (folder / "letter.txt").write_text("not ours")
    assert _init(folder) == 2
    assert "holds other files" in capsys.readouterr().err
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]


def test_a_folder_that_works_may_hold_other_files_too(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A disk's ``lost+found``, an administrator's copy; another ``init`` is how one more administrator is added."""
    (data / "lost+found").mkdir()
    (data / "server.toml~").write_text("")
    assert _init(data) == 0
    assert "was there already" in capsys.readouterr().out


def test_what_an_init_that_died_left_is_no_file_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in (".probe-7", "fairlock.db-journal", "server.new"):
        (folder / name).touch()
    assert _init(folder) == 0


def test_settings_that_are_not_there_are_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also under the name that the kept ones have."""
    assert _init(tmp_path / "data", settings=tmp_path / "server.toml") == 2
    assert "server.toml is not there" in capsys.readouterr().err


def test_init_that_failed_is_done_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.storage.s3_client.TRIES", 1)
    said = tmp_path / "wanted.toml"
    said.write_text('[store]\nbucket = "x"\nendpoint = "http://127.0.0.1:1"\naccess_key = "a"\nsecret_key = "s"\n')
    for _ in range(2):
        assert _init(tmp_path / "data", settings=said) == 2
        assert "The bucket x can't be used" in capsys.readouterr().err
    assert _init(tmp_path / "data") == 0


def test_a_session_that_is_not_there_is_a_sentence(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--data", str(data), "nosession", "--to", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == (
        f"There is no session nosession in {data}. Copy the session's id from the console, and check --data.\n"
    )
