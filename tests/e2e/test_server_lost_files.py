"""A store that has lost a whole session, or answers slowly: what an export asks of it, and what that holds up."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event, insert

from app.clock import ManualClock
from app.contract.incidents import Track
from server import settings, setup
from server.app import open_context
from server.context import Context
from server.db.models import Segment
from server.exams import export, losses, manifest
from server.verification.freezing import OF_A_KIND
from tests.e2e.server_rig import PASSWORD, Application, opened, timed
from tests.s3_server import S3Server

LOST = 500


@pytest.fixture
def sitting(tmp_path: Path) -> Iterator[tuple[Context, Application]]:
    """A server's parts beside the running server, and an application with one stored segment."""
    data = tmp_path / "data"
    setup.prepare(data, admin="ada", password=PASSWORD)
    with timed(data, ManualClock()) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        app = opened(http, "lost").seat("lost")
        assert app.put(*app.seal(Track.CAMERA)).status_code == 201
        context = open_context(data, public_url=url)
        try:
            yield context, app
        finally:
            context.database.close()


def _speak_of_more(context: Context, session: str) -> None:
    """Give the session ``LOST`` rows whose files nobody has."""
    row = {"session": session, "epoch": 0, "track": "screen", "record": "", "digest": b"", "size": 1, "receipt": ""}
    rows = [
        row | {"sequence": n, "record_digest": b"%d" % n, "previous": b"p%d" % n, "received_ms": n} for n in range(LOST)
    ]
    with context.database.write() as tx:
        tx.execute(insert(Segment), rows)


def test_thousands_of_lost_files_do_not_hold_the_writer(sitting: tuple[Context, Application]) -> None:
    """Few statements in one transaction, so many incidents as are kept, and none a second time."""
    context, app = sitting
    _speak_of_more(context, app.session)
    _manifest, places = manifest.gather(context, app.session)
    assert len(places) == LOST + 1
    said: list[str] = []
    for engine in (context.database._swift, context.database._reading):
        event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    assert list(losses.present(context, app.session, places)) == [place for place in places if place.track == "camera"]
    assert len(said) < 10, "the writer was held for each of them"
    said.clear()
    losses.present(context, app.session, places)
    assert not any(word in text for text in said for word in ("IMMEDIATE", "INSERT")), "nothing was new"
    with context.database.read() as tx:
        told = [one.facts["place"] for one in manifest.incidents(tx, app.session) if one.kind == losses.KIND]
    assert len(set(told)) == len(told) == OF_A_KIND


def test_an_export_asks_the_store_once_for_all_segments(
    sitting: tuple[Context, Application], s3_server: S3Server, tmp_path: Path
) -> None:
    """Before the first byte goes out: a distant store takes a moment for each question."""
    context, app = sitting
    for _ in range(4):
        assert app.put(*app.seal(Track.CAMERA)).status_code == 201
    (tmp_path / settings.NAME).write_text(s3_server.settings())
    store = settings.open_store(settings.load(tmp_path / settings.NAME), tmp_path)
    _manifest, places = manifest.gather(context, app.session)
    for number, place in enumerate(places):
        # The first from before files bore their records.
        upload = store.begin(place if number else replace(place, record=None))
        with context.store.open(place) as file:
            upload.write(file.read())
        upload.finish()
        upload.publish()
        upload.discard()
    asked: list[str] = []
    store._client.meta.events.register("before-call.s3", lambda model, **_given: asked.append(model.name))  # type: ignore[attr-defined]
    elsewhere = replace(context, store=store)
    gathered = export.gather(elsewhere, app.session)
    blocks = export.zipped(store, gathered)
    next(blocks)
    assert asked == ["ListObjectsV2", "GetObject"]
    rest = sum(len(block) for block in blocks)
    assert asked == ["ListObjectsV2"] + ["GetObject"] * 5
    assert rest > 4 * 4_000
