"""Exports are read as folder and as zip alike, and nothing in one can lead the reader astray."""

import errno
import os
import shutil
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from app.contract import schema
from app.contract.errors import IntegrityError, Outcome, UserFacing
from app.contract.sealing import archive
from app.contract.sealing.archive import MANIFEST_NAME, open_export
from app.contract.sealing.evidence import Manifest
from tests.unit.locked_folder import locked
from tests.vectors.cases import CASES

NAME = "segments/0-camera-0.fls"
OK = Path(__file__).parents[1] / "vectors" / "exports" / "ok"


def _manifest() -> Manifest:
    with open_export(OK) as export:
        return export.manifest()


def _as_folder(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in {MANIFEST_NAME: schema.dumps(_manifest()), "segments/other": b"", **files}.items():
        path = folder / "export" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "export"


def _as_zip(folder: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / "export.zip", "w") as file:
        for name, data in {MANIFEST_NAME: schema.dumps(_manifest()), **files}.items():
            file.writestr(name, data)
    return folder / "export.zip"


@pytest.mark.parametrize("write", [_as_folder, _as_zip])
def test_what_is_written_is_read(tmp_path: Path, write: Callable[[Path, dict[str, bytes]], Path]) -> None:
    with open_export(write(tmp_path, {NAME: b"data"})) as export:
        assert export.manifest() == _manifest()
        assert export.read(NAME) == b"data"
        assert export.read("segments/0-camera-1.fls") is None
        assert export.read("nowhere/0-camera-1.fls") is None


def test_a_missing_export_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserFacing, match="There is no"), open_export(tmp_path / "none"):
        pass


@pytest.mark.skipif(os.name != "posix", reason="rights to a folder are tried as POSIX has them")
@pytest.mark.parametrize("write", [_as_folder, _as_zip])
def test_an_export_where_one_may_not_look_is_refused_in_words(
    tmp_path: Path, write: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    export = write(tmp_path, {})
    with locked(tmp_path), pytest.raises(UserFacing, match=r"Permission denied\. Have the whole"), open_export(export):
        pass


@pytest.mark.skipif(os.name != "posix", reason="rights to a folder are tried as POSIX has them")
def test_what_may_not_be_read_is_no_fault_of_the_evidence(tmp_path: Path) -> None:
    folder = _as_folder(tmp_path, {NAME: b"data"})
    with open_export(folder) as export, locked(folder):
        for read in (export.manifest, export.grants, lambda: export.read(NAME)):
            with pytest.raises(UserFacing) as caught:
                read()
            assert caught.value.code == "E-EXPORT-UNREADABLE"


def test_a_disk_that_fails_spoils_one_segment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with open_export(_as_folder(tmp_path, {NAME: b"data"})) as export:
        monkeypatch.setattr(Path, "read_bytes", fail)
        assert "Input/output error" in _refused(export)
        with pytest.raises(UserFacing, match="Input/output error"):
            export.manifest()


@pytest.mark.parametrize("content", [b"", b"PK\3\4 not really a zip", b"x" * 1000])
def test_a_file_that_is_no_archive_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(UserFacing, match="neither a folder nor a zip archive"), open_export(tmp_path / "x.zip"):
        pass


def test_a_folder_without_a_manifest_is_refused_in_words(tmp_path: Path) -> None:
    with open_export(tmp_path) as export, pytest.raises(UserFacing, match=r"holds no manifest\.json"):
        export.manifest()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"version": 1}', b"\xff", b"[" * 100_000])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST_NAME).write_bytes(content)
    with open_export(tmp_path) as export, pytest.raises(IntegrityError) as caught:
        export.manifest()
    assert caught.value.outcome == Outcome.BAD_FORMAT


def _refused(export: archive.Export, name: str = NAME) -> str:
    with pytest.raises(IntegrityError) as caught:
        export.read(name)
    assert caught.value.outcome == Outcome.BAD_FORMAT
    return str(caught.value)


def test_links_pipes_and_folders_are_not_read(tmp_path: Path) -> None:
    folder = _as_folder(tmp_path, {})
    (folder / NAME).symlink_to(OK / "manifest.json")
    os.mkfifo(folder / "segments" / "pipe")
    (folder / "segments" / "folder").mkdir()
    with open_export(folder) as export:
        for name in (NAME, "segments/pipe", "segments/folder"):
            assert _refused(export, name) == "is not a regular file"


def test_a_linked_folder_of_segments_is_not_read(tmp_path: Path) -> None:
    folder = _as_folder(tmp_path, {})
    shutil.rmtree(folder / "segments")
    (folder / "segments").symlink_to(OK / "segments")
    with open_export(folder) as export:
        assert _refused(export) == "is not a regular file"


@pytest.mark.parametrize("write", [_as_folder, _as_zip])
def test_a_file_beyond_the_limit_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    monkeypatch.setattr(archive, "MAX_SEGMENT", 10)
    with open_export(write(tmp_path, {NAME: b"x" * 11})) as export:
        assert "larger than 10 bytes" in _refused(export)


def test_an_entry_that_unpacks_to_more_than_it_declares_is_not_read(tmp_path: Path) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(NAME, bytes(5_000_000))
    size = (5_000_000).to_bytes(4, "little")
    (tmp_path / "bomb.zip").write_bytes(packed.getvalue().replace(size, (10).to_bytes(4, "little")))
    with open_export(tmp_path / "bomb.zip") as export:
        assert "can't be unpacked" in _refused(export)


@pytest.mark.parametrize("damage", [b"\xff" * 8, bytes(8)])
def test_a_damaged_entry_is_a_fault(tmp_path: Path, damage: bytes) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(NAME, b"some text, " * 100)
    raw = bytearray(packed.getvalue())
    start = 30 + len(NAME)
    raw[start : start + 8] = damage
    (tmp_path / "x.zip").write_bytes(raw)
    with open_export(tmp_path / "x.zip") as export:
        assert "can't be unpacked" in _refused(export)


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr(NAME, b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr(NAME, b"2")
    with pytest.raises(IntegrityError, match="two files of one name"), open_export(tmp_path / "x.zip"):
        pass


def test_nothing_is_unpacked_to_where_an_entry_points(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr("../outside", b"1")
        file.writestr("/etc/outside", b"1")
    with open_export(tmp_path / "x.zip") as export:
        assert export.read(NAME) is None
    assert {path.name for path in tmp_path.iterdir()} == {"x.zip"}


def test_the_vectors_read_the_same_from_a_zip(tmp_path: Path) -> None:
    made = CASES["ok"].build()
    with open_export(_as_zip(tmp_path, made.files)) as zipped, open_export(OK) as folder:
        assert zipped.manifest() == folder.manifest()
        assert all(zipped.read(name) == folder.read(name) == data for name, data in made.files.items())
