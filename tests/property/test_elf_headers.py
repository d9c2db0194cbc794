"""Whatever bytes a candidate puts where a program is expected, reading its headers ends and never raises."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockdown.linux_programs import elf

SLEEP = Path("/bin/sleep")
needs_elf = pytest.mark.skipif(elf.read(SLEEP) is None, reason="nothing to lose: there are no ELF programs here")
on_one_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@on_one_file
@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF" + content)
    found = elf.read(path)
    assert found is None or found.size == len(content) + 4


@needs_elf
@on_one_file
@given(at=st.integers(0, 4000), new=st.binary(min_size=1, max_size=8))
def test_a_real_program_with_damaged_headers_is_read_without_error(tmp_path: Path, at: int, new: bytes) -> None:
    path, content = tmp_path / "program", SLEEP.read_bytes()
    path.write_bytes(content[:at] + new + content[at + len(new) :])
    found = elf.read(path)
    if found is not None:
        assert all(offset + size <= found.size for offset, size in found.segments)
        elf.loaded_digest(path, found)


@needs_elf
def test_a_real_program_is_whole_and_its_loaded_bytes_do_not_change_by_appending(tmp_path: Path) -> None:
    before = elf.read(SLEEP)
    longer = tmp_path / "longer"
    longer.write_bytes(SLEEP.read_bytes() + b"x" * (elf.UNLOADED + 1))
    after = elf.read(longer)
    assert before is not None
    assert after is not None
    assert (before.is_whole, after.is_whole) == (True, False)
    assert len(before.build_id) == 40
    assert before.build_id == after.build_id
    assert elf.loaded_digest(SLEEP, before) == elf.loaded_digest(longer, after)


def test_what_is_no_program_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    assert elf.read(tmp_path / "script") is None
    assert elf.read(tmp_path / "missing") is None
    assert elf.read(tmp_path) is None
