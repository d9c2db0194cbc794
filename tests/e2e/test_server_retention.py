"""A session whose time is over is deleted: its keys first, then everything, and the server signs that it did."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract.errors import IntegrityError
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.keys import load_ed25519
from app.contract.sealing.records import DELETION_TYPE, Deletion
from app.contract.sealing.segment import open_segment
from server.__main__ import main
from server.app import open_context
from server.exams import clock_jumps, retention, segment_files
from server.storage.filesystem import FileStore, FileUpload
from tests.e2e.finished_session import DAY_S, DAYS, LONG_AGO_MS, Finished, finished
from tests.e2e.server_rig import Application, prepare


@dataclass(slots=True, kw_only=True)
class Rig(Finished):
    """What retention looks at."""

    @property
    def files(self) -> list[Path]:
        """The stored segments."""
        return sorted((self.data / "sessions" / self.app.session).glob("*.fls"))

    def erase_due(self, deleted: list[str] | None = None) -> list[str]:
        """Do what the server does every hour; ``deleted`` gets what was done before it failed."""
        deleted = [] if deleted is None else deleted
        with self.context() as context:
            for token in retention.erase_due(context):
                deleted.append(token)
        return deleted


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with finished(Rig, tmp_path / "data") as rig:
        yield rig


def test_nothing_is_deleted_before_its_time(rig: Rig) -> None:
    rig.clock.advance(DAYS * DAY_S - 60)
    assert rig.erase_due() == []
    assert len(rig.files) == 2


def test_what_is_over_its_time_is_gone_and_its_deletion_signed(rig: Rig) -> None:
    size = sum(path.stat().st_size for path in rig.files)
    rig.clock.advance(DAYS * DAY_S + 60)
    (token,) = rig.erase_due()
    said = jws.verify(Deletion, token, load_ed25519(rig.app.policy.server.receipt_key), typ=DELETION_TYPE)
    assert (said.session, said.segments, said.size) == (rig.app.session, 2, size)
    assert said.deleted_ms == rig.clock.now().utc_ms
    assert not (rig.data / "sessions" / rig.app.session).exists()
    call = rig.institution.call
    rig.institution.sign_in()  # the examiner's own sitting has run out as well
    assert call("GET", "/api/v1/sessions")["sessions"] == []
    assert call("GET", "/api/v1/exams/algebra/candidates")["candidates"] == []
    assert call("GET", "/api/v1/deletions?exam=algebra")["deletions"] == [token]
    assert call("GET", "/api/v1/deletions?exam=geometry")["deletions"] == []
    assert rig.app.put(*rig.app.seal(Track.CAMERA)).status_code in (401, 404)
    assert rig.erase_due() == []


def test_the_keys_are_overwritten_before_the_file_is_unlinked(rig: Rig, tmp_path: Path) -> None:
    """A second name of the same file stands for whatever keeps a file's blocks after it was deleted."""
    copy = tmp_path / "second-name"
    os.link(rig.files[0], copy)
    before = copy.read_bytes()
    examiner: ec.EllipticCurvePrivateKey = rig.institution.examiner
    assert open_segment(before, examiner).complete
    rig.clock.advance(DAYS * DAY_S + 60)
    rig.erase_due()
    after = copy.read_bytes()
    assert len(after) == len(before)
    head = 8 + int.from_bytes(before[4:8], "big")
    assert after[:head] == bytes(head)
    with pytest.raises(IntegrityError):
        open_segment(after, examiner)


def test_what_a_crash_left_between_files_and_rows_is_deleted_the_next_time(rig: Rig) -> None:
    rig.files[0].unlink()
    rig.clock.advance(DAYS * DAY_S + 60)
    (token,) = rig.erase_due()
    assert jws.unverified(Deletion, token).segments == 2


def _another(rig: Rig) -> Application:
    """Return a second session of one segment, begun after the first."""
    rig.clock.advance(1)
    app = Application(rig.app.http, rig.institution.invite("algebra", "Emmy Noether"))
    app.join()
    app.bind()
    assert app.put(*app.seal(Track.CAMERA)).status_code == 201
    return app


def _hold(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one file refuse to go, as one that another program holds does on Windows."""
    unlink = Path.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)


def test_a_session_that_cannot_be_deleted_keeps_no_other_one(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the first one; the second one goes, and so does all else of the first. Then it is named."""
    other = _another(rig)
    folder, held = rig.files[0].parent, rig.files[0]
    rig.clock.advance(DAYS * DAY_S + 60)
    deleted: list[str] = []
    with monkeypatch.context() as patch:
        _hold(held, patch)
        with pytest.raises(retention.Undeleted) as raised:
            rig.erase_due(deleted)
    assert [jws.unverified(Deletion, token).session for token in deleted] == [other.session]
    assert list(raised.value.failed) == [rig.app.session]
    assert rig.app.session in str(raised.value)
    assert "Permission denied" in str(raised.value)
    assert list(folder.iterdir()) == [held]
    assert not held.read_bytes()[: segment_files.HEAD_BYTES].strip(b"\0"), "its keys are still there"
    assert [jws.unverified(Deletion, token).session for token in rig.erase_due()] == [rig.app.session]


def test_whatever_lies_in_a_sessions_folder_goes_with_it(rig: Rig, tmp_path: Path) -> None:
    folder = rig.files[0].parent
    kept = tmp_path / "kept"
    kept.write_bytes(b"not of this session")
    stray, inside = folder / ".nfs0001", folder / "copies" / "0-camera-0.bak"
    inside.parent.mkdir()
    for path in (stray, inside):
        path.write_bytes(rig.files[0].read_bytes() * 300)
        os.link(path, tmp_path / path.name)
    (folder / "link").symlink_to(kept)
    rig.clock.advance(DAYS * DAY_S + 60)
    assert len(rig.erase_due()) == 1
    assert not folder.exists()
    assert kept.read_bytes() == b"not of this session"
    for path in (stray, inside):
        assert not (tmp_path / path.name).read_bytes().strip(b"\0"), "it was unlinked and not overwritten"


def test_the_command_says_which_could_not_be_deleted(
    rig: Rig, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = _another(rig)
    with monkeypatch.context() as patch:
        _hold(rig.files[0], patch)
        assert main(["retain", "--data", str(rig.data)]) == 2
    said = capsys.readouterr()
    assert jws.unverified(Deletion, said.out.strip()).session == other.session
    assert f"{rig.app.session} (a session can't be deleted: Permission denied)" in said.err
    assert "run `fairlock-server retain` again" in said.err


def test_an_upload_that_its_session_did_not_wait_for_leaves_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session is deleted between the segment's file and its row."""
    app, publish = _another(rig), FileUpload.publish

    def late(self: FileUpload) -> None:
        rig.clock.advance(DAYS * DAY_S + 60)
        assert len(rig.erase_due()) == 2
        publish(self)

    monkeypatch.setattr(FileUpload, "publish", late)
    answer = app.put(*app.seal(Track.CAMERA))
    assert (answer.status_code, answer.json()["code"]) == (404, "E-SESSION-UNKNOWN")
    assert list((rig.data / "sessions").iterdir()) == []


def test_what_came_to_lie_there_after_the_deletion_goes_the_next_hour(rig: Rig) -> None:
    """The server was killed before an upload could take its file back."""
    rig.clock.advance(DAYS * DAY_S + 60)
    assert len(rig.erase_due()) == 1
    folder = rig.data / "sessions" / rig.app.session
    folder.mkdir()
    (folder / "0-camera-9.fls").write_bytes(b"late")
    rig.clock.advance(3_600)
    assert rig.erase_due() == []
    assert not folder.exists()


def test_what_is_stored_while_a_session_is_deleted_is_deleted_too(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    app = _another(rig)
    shred, more = FileStore.shred, [app.seal(Track.CAMERA)]

    def slow(self: FileStore, session: str, head: int) -> None:
        shred(self, session, head)
        while more and session == app.session:
            assert app.put(*more.pop()).status_code == 201

    monkeypatch.setattr(FileStore, "shred", slow)
    rig.clock.advance(DAYS * DAY_S + 60)
    said = [jws.unverified(Deletion, token) for token in rig.erase_due()]
    assert [(one.session, one.segments) for one in said] == [(rig.app.session, 2), (app.session, 2)]
    assert list((rig.data / "sessions").iterdir()) == []


def test_a_session_that_goes_on_is_not_over(rig: Rig) -> None:
    """Its time begins with the last that was heard of it."""
    app = Application(rig.app.http, rig.institution.invite("algebra", "Emmy Noether"))
    app.join()
    app.bind()
    rig.clock.advance(DAYS * DAY_S - 5)
    app.signing = Ed25519PrivateKey.generate()
    app.bind()
    app.beat(None)
    rig.clock.advance(60)
    assert [jws.unverified(Deletion, token).session for token in rig.erase_due()] == [rig.app.session]


def test_the_command_lists_and_deletes(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """On the real clock everything of the made-up one is long over."""
    assert main(["retain", "--data", str(rig.data), "--dry-run"]) == 0
    assert rig.app.session in capsys.readouterr().out
    assert rig.files
    assert main(["retain", "--data", str(rig.data)]) == 0
    assert jws.unverified(Deletion, capsys.readouterr().out.strip()).session == rig.app.session
    assert not rig.files


def _is_believed(data: Path, clock: ManualClock) -> bool:
    """Ask what the server asks itself before it deletes anything."""
    context = open_context(data, public_url="http://127.0.0.1", now=lambda: clock.now().utc_ms)
    try:
        return clock_jumps.is_believed(context)
    finally:
        context.database.close()


def test_a_clock_that_jumps_a_year_is_believed_once_it_has_stayed_there_or_was_put_right(tmp_path: Path) -> None:
    prepare(tmp_path)
    right, wrong = ManualClock(utc_ms=LONG_AGO_MS), ManualClock(utc_ms=LONG_AGO_MS + 365 * DAY_S * 1000)
    assert _is_believed(tmp_path, right)
    assert not _is_believed(tmp_path, wrong)
    assert _is_believed(tmp_path, right)
    right.advance(6 * DAY_S)
    assert _is_believed(tmp_path, right)
    for days, believed in ((0, False), (1, False), (2.1, True), (0, True), (5, True), (100, False), (100, False)):
        wrong.advance(days * DAY_S)
        assert _is_believed(tmp_path, wrong) is believed


def test_the_server_itself_deletes_nothing_by_a_clock_that_jumped(rig: Rig) -> None:
    rig.clock.advance(365 * DAY_S)
    with rig.context() as context:
        keeper = retention.Keeper(context)
        keeper.start()
        keeper.stop()
        assert retention.due(context)
    assert len(rig.files) == 2
