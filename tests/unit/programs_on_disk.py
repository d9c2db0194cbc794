"""Executables for tests: real ones that run, each unlike every other on this machine."""

import os
import shutil
from pathlib import Path

from lockdown.linux_programs import elf

SLEEP = Path("/bin/sleep")


def unique(path: Path, *, source: Path = SLEEP) -> Path:
    """Make ``path`` a program that sleeps, with a build id of its own, as if somebody had compiled it."""
    read = elf.read(source)
    assert read is not None
    assert read.build_id
    path.parent.mkdir(parents=True, exist_ok=True)
    content = source.read_bytes()
    path.write_bytes(content.replace(bytes.fromhex(read.build_id), os.urandom(len(read.build_id) // 2)))
    path.chmod(0o755)
    return path


def copy(program: Path, to: Path) -> Path:
    """Copy ``program``, as ``cp`` does."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(program, to)
    return to


def electron(folder: Path, name: str, package: bytes) -> Path:
    """Make a program as Electron ships them: an executable that all share, and the package that it runs."""
    program = copy(SLEEP, folder / name)
    package_file = folder / "resources" / "app.asar"
    package_file.parent.mkdir()
    package_file.write_bytes(package)
    return program
