"""A server that is killed in the middle of uploads has lost nothing that it acknowledged."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from app.contract.incidents import Track
from app.contract.sealing.archive import open_export
from app.contract.sealing.keys import key_id
from app.contract.sealing.verify import INTACT, verify_session
from server.__main__ import main
from tests.e2e.server_rig import enter, knock, opened, prepare, running, start

SEGMENTS, ENOUGH = 60, 10


def test_killed_in_the_middle_of_uploads(tmp_path: Path) -> None:
    data = tmp_path / "data"
    prepare(data)
    first = start(data)
    with httpx.Client(base_url=first.url, trust_env=False, timeout=60) as http:
        institution = opened(http, "crash")
        app = institution.seat("crash")
        cookie = enter(http, app.bound)
        sealed = [app.seal(Track.CAMERA, size=150_000) for _ in range(SEGMENTS)]
        acknowledged: list[int] = []

        def upload(number: int) -> None:
            try:
                answer = app.put(*sealed[number])
            except httpx.TransportError:
                return
            assert answer.status_code == 201
            acknowledged.append(number)
            if len(acknowledged) >= ENOUGH:
                first.popen.kill()  # here: whoever else was told would come when all are there, on a slow machine

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(upload, number) for number in range(SEGMENTS)]:
                done.result()
        first.kill()
        assert ENOUGH <= len(acknowledged) < SEGMENTS

    port = int(first.url.rsplit(":", 1)[1])
    with running(data, port=port) as second, httpx.Client(base_url=second.url, trust_env=False, timeout=60) as http:
        app.http = http
        # The time in which the server was away is not held against the candidate.
        assert knock(http, cookie).status_code == 204
        for number in acknowledged:
            assert app.put(*sealed[number]).status_code == 200
        for one in sealed:
            assert app.put(*one).is_success
        assert app.end(app.end_token()).completion is not None

    folder = tmp_path / "export"
    assert main(["export", "--data", str(data), app.session, "--to", str(folder)]) == 0
    with open_export(folder) as export:
        pin = key_id(institution.key.public_key())
        verdict = verify_session(export.manifest(), export, pin=pin, private_key=institution.examiner)
    assert (verdict.faults, verdict.chain, len(verdict.records)) == ((), INTACT, SEGMENTS)
