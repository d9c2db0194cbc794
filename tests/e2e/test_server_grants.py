"""Recipients added later, on a real server: stored, handed out, exported and deleted; and nobody is just believed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from app import unseal, verify
from app.contract import schema
from app.contract.sealing import jws
from app.contract.sealing.archive import open_export
from app.contract.sealing.grants import MAX_GRANTS, WRAP_BYTES, Grants, SignedGrant
from app.contract.sealing.keys import key_id, protect
from app.contract.sealing.verify import INTACT, verify_session
from server.context import Context
from server.db.models import GrantRecord
from server.exams import export, retention
from server.storage.base import GrantPlace, StorageFull, Stored
from server.storage.filesystem import FileStore
from tests.e2e import granting
from tests.e2e.finished_session import DAY_S, DAYS, Finished, finished
from tests.e2e.server_rig import CSRF
from tests.e2e.server_stores import elsewhere

PASSPHRASE = "six other words open this key"


@dataclass(slots=True, kw_only=True)
class Rig(Finished):
    """Somebody whom the session's policy does not name, and the segments' keys wrapped for them."""

    added: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    wraps: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wraps = [granting.wrap(*one, self.institution.examiner, self.added) for one in self.sealed]

    @property
    def url(self) -> str:
        """Where grants are posted."""
        return f"/api/v1/sessions/{self.app.session}/grants"

    def grant(self, **changes: object) -> SignedGrant:
        """Return a sound grant."""
        given: dict[str, object] = {"by": self.institution.examiner, "to": granting.recipient(self.added), **changes}
        return granting.grant(self.app.session, self.app.policy_token, self.wraps, **given)  # type: ignore[arg-type]

    def post(self, signed: SignedGrant) -> httpx.Response:
        """Send a grant."""
        return self.institution.http.post(self.url, json=granting.body(signed), headers=CSRF)


EVERYWHERE = pytest.mark.parametrize("rig", ["files", "shared"], indirect=True)


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Rows and segments in the data folder, or, where a test asks for it, in PostgreSQL and an S3-compatible store."""
    shared = getattr(request, "param", "files") == "shared"
    with finished(Rig, tmp_path / "data", settings=elsewhere(request) if shared else "") as rig:
        yield rig


@EVERYWHERE
def test_an_added_recipient_opens_the_exported_session(
    rig: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rig.institution.http.get(f"/api/v1/sessions/{rig.app.session}/manifest").content
    answer = rig.post(rig.grant())
    assert answer.status_code == 201, answer.text
    mine = granting.recipient(rig.added)
    granter = key_id(rig.institution.examiner.public_key())
    assert answer.json() == {"recipient": mine.id, "name": mine.name, "granter": granter, "segments": 2}
    again = rig.post(rig.grant())
    assert again.status_code == 201  # signed anew: each signature has a nonce of its own
    assert rig.institution.http.get(f"/api/v1/sessions/{rig.app.session}/manifest").content == before

    archive = tmp_path / "export.zip"
    archive.write_bytes(rig.institution.http.get(f"/api/v1/sessions/{rig.app.session}/export").content)
    with open_export(archive) as opened:
        verdict = verify_session(opened.manifest(), opened, pin=None, private_key=rig.added, grants=opened.grants)
    assert (verdict.chain, verdict.complete, [one.outcome for one in verdict.grants]) == (INTACT, True, ["ok", "ok"])

    (tmp_path / "key.json").write_bytes(schema.dumps(protect(rig.added, PASSPHRASE, rounds=1_000)))
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    out = tmp_path / "opened"
    options = [
        "--key",
        str(tmp_path / "key.json"),
        "--passphrase-file",
        str(tmp_path / "passphrase"),
        "--out",
        str(out),
    ]
    assert unseal.main([str(archive), *options]) == verify.EXIT_COMPLETE
    said = capsys.readouterr().out
    assert f"Added later: Second examiner (key {mine.id}) by Examiner" in said
    assert "for 2 of 2 segments" in said
    assert list(out.glob("camera*"))


def test_the_same_grant_again_changes_nothing_and_the_audit_log_says_who_added_whom(rig: Rig) -> None:
    signed = rig.grant()
    assert [rig.post(signed).status_code for _ in range(2)] == [201, 200]
    assert len(_stored(rig)) == 1, "the wraps of the second one were left behind"
    found = schema.from_json(Grants, rig.institution.call("GET", rig.url))
    assert found.grants == (signed,)
    entries = rig.institution.call("GET", "/api/v1/audit")["entries"]
    (entry,) = [one for one in entries if one["action"] == "recipient.added"]
    assert (entry["account"], entry["subject"]) == ("ada", rig.app.session)
    assert entry["facts"]["recipient"] == "Second examiner"
    assert entry["facts"]["key"] == key_id(rig.added.public_key())


def test_what_no_recipient_signed_is_refused(rig: Rig) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    examiner, to = rig.institution.examiner, granting.recipient(rig.added)
    other = granting.grant("session-elsewhere", rig.app.policy_token, rig.wraps, by=examiner, to=to)
    sound = rig.grant()
    cases = {
        "unknown-key": rig.grant(by=stranger),
        "record-mismatch": other,
        "digest-mismatch": SignedGrant(statement=sound.statement, wraps=bytes(WRAP_BYTES)),
        "wrong-recipient": rig.grant(to=granting.recipient(examiner)),
    }
    for outcome, signed in cases.items():
        answer = rig.post(signed)
        assert (answer.status_code, answer.json()["code"]) == (422, "E-RECORD"), outcome
        assert answer.json()["detail"].startswith(outcome)
    unknown = granting.grant(rig.app.session, rig.app.policy_token, [os.urandom(WRAP_BYTES)], by=examiner, to=to)
    assert "not in the chain" in rig.post(unknown).json()["detail"]
    assert rig.institution.call("GET", rig.url) == {"version": 1, "grants": []}


def test_nobody_adds_or_reads_without_being_signed_in(rig: Rig) -> None:
    stranger = {"Cookie": ""}
    body = granting.body(rig.grant())
    assert rig.institution.http.post(rig.url, json=body, headers=CSRF | stranger).status_code == 401
    assert rig.institution.http.post(rig.url, json=body).status_code == 403  # as another site would send it
    assert rig.institution.http.get(rig.url, headers=stranger).status_code == 401
    assert rig.institution.http.get("/api/v1/sessions/nobodys-session/grants").status_code == 404


def test_there_is_an_end_to_grants_and_to_their_size(rig: Rig) -> None:
    for _ in range(MAX_GRANTS):
        assert rig.post(rig.grant()).status_code == 201
    assert rig.post(rig.grant()).status_code == 409
    assert len(_stored(rig)) == MAX_GRANTS, "the wraps of the refused one were left behind"
    assert rig.institution.http.post(rig.url, content=b"x" * 4_200_000, headers=CSRF).status_code == 413


def test_a_store_that_keeps_what_was_refused_does_not_change_the_answer(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_store: FileStore, _place: Stored) -> None:
        raise StorageFull("the store does not answer")

    monkeypatch.setattr(FileStore, "delete", fail)
    signed = rig.grant()
    assert [rig.post(signed).status_code for _ in range(2)] == [201, 200]
    assert len(_stored(rig)) == 2  # they go with the session


def test_a_grant_whose_wraps_are_lost_is_left_out_and_the_others_are_handed_out(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    lost, kept = rig.grant(), rig.grant()
    assert rig.post(lost).status_code == 201
    (path,) = _stored(rig)
    assert rig.post(kept).status_code == 201
    path.unlink()
    found = schema.from_json(Grants, rig.institution.call("GET", rig.url))
    assert found.grants == (kept,)
    assert f"the wraps of grant {path.stem.removeprefix('grant-')} are lost" in caplog.text


def _stored(rig: Rig) -> list[Path]:
    """Return the files of wraps."""
    return list((rig.data / "sessions" / rig.app.session).glob("*.wraps"))


def _grant_ids(context: Context) -> list[str]:
    with context.database.read() as tx:
        return list(tx.scalars(select(GrantRecord.id)))


@EVERYWHERE
def test_wraps_go_with_the_session(rig: Rig) -> None:
    assert rig.post(rig.grant()).status_code == 201
    folder = rig.data / "sessions" / rig.app.session
    copies = []
    for path in folder.glob("*.wraps"):  # where wraps are files, a second name stands for blocks that outlive them
        copies.append(rig.data / f"kept-{path.name}")
        os.link(path, copies[-1])
    rig.clock.advance(DAYS * DAY_S + 60)
    with rig.context() as context:
        (found,) = _grant_ids(context)
        place = GrantPlace(session=rig.app.session, grant=found)
        assert context.store.size(place) == 2 * WRAP_BYTES
        list(retention.erase_due(context))
        with pytest.raises(FileNotFoundError):
            context.store.open(place)
        assert _grant_ids(context) == []
    assert all(copy.read_bytes() == bytes(2 * WRAP_BYTES) for copy in copies)
    rig.institution.sign_in()
    assert rig.institution.http.get(rig.url).status_code == 404


def test_a_session_without_grants_exports_as_before(rig: Rig, tmp_path: Path) -> None:
    with rig.context() as context:
        export.write(context, rig.app.session, tmp_path / "plain")
        assert not (tmp_path / "plain" / "grants.json").exists()
        rig.post(rig.grant())
        export.write(context, rig.app.session, tmp_path / "granted")
    found = schema.loads(Grants, (tmp_path / "granted" / "grants.json").read_bytes())
    assert [jws.key_id_of(one.statement) for one in found.grants] == [key_id(rig.institution.examiner.public_key())]
