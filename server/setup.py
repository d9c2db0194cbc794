"""Prepares a data folder: the folder itself, keys, database, first account. Running it again changes nothing."""

import os
from pathlib import Path

from app.contract.errors import UserFacing
from server import keys
from server.accounts import passwords
from server.app import DATABASE
from server.clock import utc_ms
from server.db import migrate
from server.db.database import Database
from server.db.models import Account
from server.storage.filesystem import FileStore


def prepare(data: Path, *, admin: str, password: str) -> bool:
    """Make what is missing in ``data``; return whether the account is new. Raises ``UserFacing``."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(data.iterdir()) and not (data / DATABASE).exists() and not (data / "keys").exists():
            # Closing a folder that others use, such as /tmp, would do harm.
            raise UserFacing(
                f"The folder {data} holds other files.", advice="Name a new or an empty folder.", code="E-DATA-FOLDER"
            )
        # A folder that was there already is mostly open for others to read.
        data.chmod(0o700)
    except OSError as error:
        raise _unwritable(data, error) from error
    check_writable(data)
    keys.create(data / "keys")
    FileStore(data)
    database = Database(data / DATABASE)
    try:
        migrate.upgrade(database)
        with database.read() as tx:
            if tx.get(Account, admin) is not None:
                return False
        hashed = passwords.hashed(password)
        with database.write(durable=True) as tx:
            passwords.add(tx, name=admin, password=hashed, role=passwords.ADMIN, now_ms=utc_ms())
            return True
    finally:
        database.close()


def check_writable(data: Path) -> None:
    """Raise ``UserFacing`` when ``data`` is not a folder that this process can write to."""
    probe = data / f".probe-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unwritable(data, error) from error


def _unwritable(data: Path, error: OSError) -> UserFacing:
    return UserFacing(
        f"The folder {data} can't be written to ({error.strerror}).",
        advice="Give the server's user the right to write there, or name another folder with --data.",
        code="E-DATA-FOLDER",
    )
