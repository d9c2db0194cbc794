"""A segment that is on its way while its session is completed: the completion stays true, nothing of it is left."""

from pathlib import Path

import httpx
import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from server.storage.filesystem import FileUpload
from tests.e2e.server_rig import opened, prepare, timed


def test_what_comes_after_the_completion_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of all before it arrives between the segment's file and its row."""
    data = tmp_path / "data"
    prepare(data)
    with timed(data, ManualClock()) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        institution = opened(http, "algebra")
        app = institution.seat("algebra")
        assert app.put(*app.seal(Track.CAMERA)).status_code == 201
        end, publish = app.end_token(), FileUpload.publish
        stored = sorted((data / "sessions" / app.session).iterdir())

        def late(self: FileUpload) -> None:
            assert app.end(end).completion is not None
            publish(self)

        monkeypatch.setattr(FileUpload, "publish", late)
        answer = app.put(*app.seal(Track.SCREEN))
        assert (answer.status_code, answer.json()["code"]) == (409, "E-SESSION-ENDED")
        assert sorted((data / "sessions" / app.session).iterdir()) == stored
        assert len(institution.call("GET", f"/api/v1/sessions/{app.session}/manifest")["records"]) == 1
