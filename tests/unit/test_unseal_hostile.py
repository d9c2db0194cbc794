"""``fairlock open`` on exports made to do harm, and on a full disk: no flood, nothing foreign, no half result."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.contract import canonical
from app.unfinished_folder import UNFINISHED
from app.verify import EXIT_COMPLETE, EXIT_FAULTS, EXIT_UNREADABLE
from tests.vectors import forge
from tests.vectors.cases import small
from tests.vectors.draft import EXAMINER, Draft

resource = pytest.importorskip("resource", reason="limits of a process are set as Unix sets them")

PASSPHRASE = "a passphrase for tests"
VECTORS = Path(__file__).parent.parent / "vectors"
INDEX = {entry["name"]: entry for entry in json.loads((VECTORS / "index.json").read_text("utf-8"))}

Open = Callable[..., tuple[int, str]]


@pytest.fixture
def open_(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Open:
    """Run the command on a folder; return its exit code and its words. The files are in ``out``."""

    def run(export: Path, key: Path, passphrase: str) -> tuple[int, str]:
        (tmp_path / "passphrase").write_text(passphrase, "utf-8")
        files = ["--key", str(key), "--passphrase-file", str(tmp_path / "passphrase")]
        code = main(["open", str(export), *files, "--out", str(tmp_path / "out")])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def saved(draft: Draft, folder: Path) -> tuple[Path, Path, str]:
    """Write a draft; return its folder, an examiner's key and the key's passphrase."""
    export, key = folder / "export", folder / "key.json"
    (export / "segments").mkdir(parents=True)
    (export / "manifest.json").write_bytes(draft.manifest())
    for name, data in draft.files.items():
        (export / name).write_bytes(data)
    key.write_text(json.dumps(forge.protected_key(EXAMINER, PASSPHRASE)))
    return export, key, PASSPHRASE


@contextmanager
def limited(kind: int, most: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


def _limit_of_descriptors(free: int) -> int:
    """Return the limit below which so many numbers are free."""
    taken = {int(path.name) for path in Path("/dev/fd").iterdir()}
    return [number for number in range(len(taken) + free) if number not in taken][free - 1] + 1


def _opened_files(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))["opened_files"]
    return found


def test_a_segment_that_is_named_often_is_written_once(open_: Open, tmp_path: Path) -> None:
    draft = small("named-often", 1)
    draft.records += draft.records * 30
    code, said = open_(*saved(draft.finish(), tmp_path))
    assert code == EXIT_FAULTS
    whole = b"".join(draft.fragments["segments/0-camera-0.fls"])
    assert (tmp_path / "out" / "camera.bin").read_bytes() == whole
    (recording,) = _opened_files(tmp_path / "out")["recordings"]
    assert recording["segments"] == 1
    left_out = {"segment": "segments/0-camera-0.fls", "why": "repeated", "times": 30}
    assert _opened_files(tmp_path / "out")["left_out"] == [left_out]
    assert "LEFT OUT: segments/0-camera-0.fls: repeated, 30 times." in said


@pytest.mark.parametrize(
    ("vector", "segments", "left_out"),
    [
        ("segment-other-session", 1, [("segments/0-camera-1.fls", "record-mismatch")]),
        ("segment-recipient-added", 0, [("segments/0-camera-0.fls", "wrong-recipient")]),
        ("record-repeated", 1, [("segments/0-camera-0.fls", "repeated")]),
        ("segment-edited", None, None),
        ("segment-missing", None, []),
        ("chain-dropped", None, []),  # what is genuine stays, though its neighbour is missing
        ("segment-begun-elsewhere", 2, []),
    ],
)
def test_what_was_changed_is_in_no_file_and_named(
    open_: Open, tmp_path: Path, vector: str, segments: int | None, left_out: list[tuple[str, str]] | None
) -> None:
    entry = INDEX[vector]
    code, _said = open_(VECTORS / entry["folder"], VECTORS / entry["key"], entry["passphrase"])
    assert code == EXIT_FAULTS
    files = _opened_files(tmp_path / "out")
    if segments is not None:
        assert sum(one["segments"] for one in files["recordings"]) == segments
    found = [(one["segment"], one["why"]) for one in files["left_out"]]
    if left_out is None:
        left_out = [(where, outcome) for outcome, where in entry["faults"] if where.startswith("segments/")][:1]
    assert found == left_out


def test_a_record_of_another_session_is_left_out(open_: Open, tmp_path: Path) -> None:
    draft = small("with-foreign-record", 1)
    elsewhere = {"session": "session-elsewhere"}
    draft.segment("camera", header=elsewhere, record=elsewhere)
    open_(*saved(draft.finish(), tmp_path))
    files = _opened_files(tmp_path / "out")
    assert [one["segments"] for one in files["recordings"]] == [1]
    foreign = {"segment": "segments/0-camera-1.fls", "why": "record-mismatch", "times": 1}
    assert files["left_out"] == [foreign]


def test_however_often_a_track_begins_anew_one_file_of_it_is_open(open_: Open, tmp_path: Path) -> None:
    draft = Draft("session-of-many-files")
    draft.bind()
    many = 40
    for number in range(many):
        draft.segment("camera", plaintexts=[f"head {number}".encode(), b"picture", b""])
    with limited(resource.RLIMIT_NOFILE, _limit_of_descriptors(free=many // 2)):
        code, said = open_(*saved(draft.finish(), tmp_path))
    assert code == EXIT_COMPLETE, said
    out = tmp_path / "out"
    assert [(out / f"camera{n}.bin").read_bytes() for n in ("", "-2", f"-{many}")] == [
        b"head 0picture",
        b"head 1picture",
        f"head {many - 1}picture".encode(),
    ]


@pytest.mark.parametrize(("name", "is_read"), [("session", True), ("\x1b]0;title\x07", False)])
def test_nothing_in_an_export_steers_the_terminal(open_: Open, tmp_path: Path, name: str, is_read: bool) -> None:
    export, key, passphrase = saved(small("steering", 1).finish(), tmp_path)
    manifest = json.loads((export / "manifest.json").read_bytes())
    (export / "manifest.json").write_bytes(canonical.dumps({**manifest, name: "session-\x1b[2J\r\n"}))
    code, said = open_(export, key, passphrase)
    assert code == (EXIT_FAULTS if is_read else EXIT_UNREADABLE)
    assert [character for character in said if not character.isprintable() and character != "\n"] == []
    assert "\N{REPLACEMENT CHARACTER}" in said


@pytest.mark.parametrize("size", [6_000, 60_000], ids=["noticed when it is closed", "noticed when it is written"])
def test_a_full_disk_is_said_clearly_and_it_can_be_tried_again(open_: Open, tmp_path: Path, size: int) -> None:
    draft = Draft("session-on-a-full-disk")
    draft.bind()
    draft.segment("camera", plaintexts=[b"head", bytes(size), b""])
    export = saved(draft.finish(), tmp_path)
    with limited(resource.RLIMIT_FSIZE, 5_000):
        code, said = open_(*export)
    assert code == EXIT_UNREADABLE
    assert "can't be written to" in said
    assert "Make room" in said
    assert not (tmp_path / "out").exists()
    assert open_(*export)[0] == EXIT_COMPLETE
    assert (tmp_path / "out" / "camera.bin").read_bytes() == b"head" + bytes(size)
    assert not (tmp_path / "out" / UNFINISHED).exists()


def test_what_an_earlier_opening_left_unfinished_is_said_and_left_alone(open_: Open, tmp_path: Path) -> None:
    (tmp_path / "out" / UNFINISHED).mkdir(parents=True)
    code, said = open_(*saved(small("cut-off", 1).finish(), tmp_path))
    assert code == EXIT_UNREADABLE
    assert f"Delete {tmp_path / 'out' / UNFINISHED}" in said
    assert (tmp_path / "out" / UNFINISHED).exists()
