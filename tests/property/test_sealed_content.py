"""Whatever was properly sealed and signed: ``fairlock verify`` says its words, ``fairlock open`` writes its files.

Who controls the candidate's machine can seal any content. It must stop no examiner's program, steer no terminal, and
name no file. ``FAIRLOCK_FUZZ=5000`` tries that many sessions instead of the usual few.
"""

import json
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest

from app import verify
from app.contract.errors import FairlockError
from app.unsealed import Unsealed
from tests.vectors import forge
from tests.vectors.breaking import BOMBS, another, changed, wounded
from tests.vectors.draft import EXAMINER, Draft

SESSIONS = int(os.environ.get("FAIRLOCK_FUZZ", "60"))
PER_TEST = 20
FILES = re.compile(
    r"(camera|screen|microphone)(-\d+)?\.(mp4|m4a|bin|jpg|png|webp)|(journal|pictures|report)\.json|pictures/\d{5}\.\w{3}"
)
LOCKED = {"tier": "B", "platform": "linux", "holding": ["kiosk"], "missing": {"x": "\x1b[2J"}, "doubts": ["none"]}
AT: dict[str, Any] = {"at_ms": 1, "utc_ms": 2}
ENTRIES: list[dict[str, Any]] = [
    {**AT, "type": "lockdown", "body": LOCKED},
    {**AT, "type": "agreement", "body": {"jws": "a.b.c", "by_agreement": "breaks"}},
    {**AT, "type": "incident", "body": {"id": "../../x", "kind": "phone", "facts": {}, "evidence": None}},
    {**AT, "type": "notice", "body": {"text": "\x1b[2J\u202e", "sha256": "\x07", "policy": "0"}},
    {**AT, "type": "quality", "body": {"picture": "\x1b[2J", "state": "began", "candidate": True}},
    {**AT, "type": "note", "body": {"fairlock": "\u202e\x07"}},
]
META = {"incident": "../../../x", "at_ms": 1, "mime": "image/jpeg"}


def content(track: str, rng: random.Random) -> bytes:
    """Return one plaintext fragment, more or less as ``track`` has them."""
    if rng.random() < 0.1:
        return rng.choice(BOMBS)
    if track == "journal":
        # Mostly entries that can be read, with whatever in them.
        entries = [{**one, "body": {**one["body"], rng.choice(sorted(one["body"])): another(rng)}} for one in ENTRIES]
        return forge.canonical(changed(entries, rng) if rng.random() < 0.2 else entries)
    if track == "pictures":
        meta = forge.canonical(changed(META, rng))
        whole = len(meta).to_bytes(4, "big") + meta + b"jpeg"
        return wounded(whole, rng) if rng.random() < 0.3 else whole
    return forge.seeded(str(rng.random()), rng.randrange(40))


def export(folder: Path, rng: random.Random) -> int:
    """Write a sound session of hostile content; return how many bytes it holds."""
    draft = Draft("session-of-hostile-content")
    draft.bind()
    plain = 0
    for track in ("journal", "pictures", "camera", "journal", "camera"):
        fragments = [content(track, rng) for _ in range(rng.randrange(1, 4))]
        mime = rng.choice(("video/mp4; codecs=x", "../../x", "audio/mp4", "", "image/jpeg/../x"))
        draft.segment(track, plaintexts=fragments, header={"mime": mime})
        plain += sum(map(len, fragments))
    (folder / "segments").mkdir(parents=True)
    (folder / "manifest.json").write_bytes(draft.finish().manifest())
    for name, data in draft.files.items():
        (folder / name).write_bytes(data)
    return plain


@pytest.mark.parametrize("first", range(0, SESSIONS, PER_TEST))
def test_hostile_content_is_opened_and_told(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + PER_TEST):
        here = tmp_path / str(seed)
        plain = export(here / "export", random.Random(seed))  # noqa: S311  (the same each time)
        try:
            report = opened(here)
        except FairlockError as error:
            pytest.fail(f"seed {seed}: sound evidence was refused: {error}")
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
        assert report.exit_code == verify.EXIT_COMPLETE, (seed, report.verdict.faults)
        assert all(line.isprintable() for line in verify.describe(report)), seed
        json.dumps(verify.to_json(report))
        written = [path for path in (here / "out").rglob("*") if path.is_file()]
        assert all(FILES.fullmatch(str(path.relative_to(here / "out"))) for path in written), (seed, written)
        assert sum(path.stat().st_size for path in written) < 8 * plain + 1_000, seed
        assert isinstance(json.loads((here / "out" / "journal.json").read_text("utf-8")), list)
        assert {path.name for path in here.iterdir()} == {"export", "out"}


def opened(here: Path) -> verify.Report:
    """Open an export as ``fairlock open`` does, with the key at hand."""
    with Unsealed(here / "out", "session-of-hostile-content") as files:
        return verify.check(here / "export", pin=None, private_key=forge.p256(EXAMINER), on_segment=files.look)
