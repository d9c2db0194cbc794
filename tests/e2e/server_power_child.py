"""Does once whatever a server answers for good, and says after each what has to survive a power cut from then on.

``python -m tests.e2e.server_power_child FOLDER`` writes lines: ``row TABLE [WHERE …]`` (there must be one in the
database) and ``file PATH SHA-256`` (a file of the data folder).
"""

import os
import sys
from hashlib import sha256
from pathlib import Path

import httpx

from app.clock import ManualClock
from app.contract import schema
from app.contract.incidents import Track
from app.contract.policy import Retention
from app.contract.sealing.keys import protect
from server import setup
from server.app import open_context
from server.exams import retention
from tests.e2e import granting, live_rig
from tests.e2e.server_rig import CSRF, PASSWORD, Application, Institution, timed

DAY_S = 86_400


def main() -> None:
    """Set a server up, examine one candidate, delete the session."""
    data, clock = Path(sys.argv[1]), ManualClock()
    settings = data.parent / "wanted.toml"
    settings.write_text("[database]\n")
    setup.prepare(data, admin="ada", password=PASSWORD, settings_file=settings)
    row("accounts WHERE name = 'ada'")
    files(data, "keys/*.pem", "server.toml")
    with timed(data, clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        institution = Institution(http)
        set_up(institution)
        app = sit(institution, data)
        clock.advance(2 * DAY_S)
        context = open_context(data, public_url=url, now=lambda: clock.now().utc_ms)
        (_token,) = retention.erase_due(context)
        row(f"deletions WHERE session = '{app.session}'")
        os._exit(0)  # what is put away in order at the end is not to be counted


def set_up(institution: Institution) -> None:
    """Make what an examiner makes before an exam."""
    call = institution.call
    institution.sign_in()
    row("institution_keys")
    call("POST", "/api/v1/accounts", {"name": "bob", "password": PASSWORD, "role": "examiner"})
    row("accounts WHERE name = 'bob'")
    key = schema.to_json(protect(institution.examiner, PASSWORD, rounds=1_000))
    call("POST", "/api/v1/keys", {"label": "Mine", "key": key})
    row("key_records")
    institution.exam("algebra", retention=Retention(days=1))
    row("exams")
    call("PUT", "/api/v1/exams/algebra/quota", {"bytes": 10_000_000})
    row("exams WHERE quota = 10000000")


def sit(institution: Institution, data: Path) -> Application:
    """Invite a candidate and do all that their application does."""
    app = Application(institution.http, institution.invite("algebra"))
    row("candidates")
    app.join()
    row("sessions")
    app.bind()
    row("bindings WHERE epoch = 0")
    institution.call("POST", f"/api/v1/sessions/{app.session}/actions", {"kind": "pause"})
    row("actions WHERE kind = 'pause'")
    record, sealed = app.seal(Track.CAMERA)
    assert app.put(record, sealed).status_code == 201
    row("segments")
    files(data, "sessions/*/*.fls")
    live, seen = app.seal(Track.SCREEN)
    live_rig.pushed(app, live_rig.pieces_of(live, seen))
    assert live_rig.put_live(app, live).status_code == 201
    row("segments WHERE track = 'screen'")
    files(data, "sessions/*/*-screen-*.fls")
    wraps = [granting.wrap(record, sealed, institution.examiner, institution.key)]
    to = granting.recipient(institution.key)
    grant = granting.grant(app.session, app.policy_token, wraps, by=institution.examiner, to=to)
    path = f"/api/v1/sessions/{app.session}/grants"
    assert app.http.post(path, json=granting.body(grant), headers=CSRF).status_code == 201
    row("grants")
    files(data, "sessions/*/*.wraps")
    assert app.end(app.end_token()).completion is not None
    row("sessions WHERE completion IS NOT NULL")
    return app


def row(where: str) -> None:
    """Say that a row is there."""
    say(f"row {where}")


def files(data: Path, *patterns: str) -> None:
    """Say that files are there as they are now."""
    for pattern in patterns:
        for path in data.glob(pattern):
            say(f"file {path.relative_to(data)} {sha256(path.read_bytes()).hexdigest()}")


def say(line: str) -> None:
    """Write a line at once."""
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    main()
