"""Prepares a data folder: the folder itself, keys, database, first account. Running it again changes nothing."""

import os
from pathlib import Path

from app.contract.errors import UserFacing
from server import keys, settings
from server.accounts import passwords
from server.clock import utc_ms
from server.db import migrate
from server.db.database import Database
from server.db.models import Account
from server.db.retries import retried
from server.synced import draft_of

_DATABASE = {settings.DATABASE + end for end in ("", "-wal", "-shm", "-journal")}
_OURS = {"keys", "sessions", "incoming", settings.NAME, draft_of(Path(settings.NAME)).name} | _DATABASE
"""What a folder may hold before it is ours: an ``init`` that came to no end left it."""

_PROBE = ".probe-"


def prepare(data: Path, *, admin: str, password: str, settings_file: Path | None = None) -> bool:
    """Make what is missing in ``data``; return whether the account is new. Raises ``UserFacing``.

    ``settings_file`` becomes the folder's ``server.toml``, after database and store were reached as it says.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not keys.are_in(data / "keys") and any(_is_foreign(path.name) for path in data.iterdir()):
            # Closing a folder that others use, such as /tmp, would do harm.
            raise UserFacing(
                f"The folder {data} holds other files.", advice="Name a new or an empty folder.", code="E-DATA-FOLDER"
            )
        # A folder that was there already is mostly open for others to read.
        data.chmod(0o700)
    except OSError as error:
        raise _unwritable(data, error) from error
    check_writable(data)
    wanted = settings.load(settings_file or data / settings.NAME, required=settings_file is not None)
    database = settings.open_database(wanted, data)
    try:
        migrate.upgrade(database)
        settings.open_store(wanted, data)
        if settings_file is not None:
            settings.keep(settings_file, data)
        keys.create(data / "keys")
        return _add_admin(database, admin, password)
    finally:
        database.close()


def _is_foreign(name: str) -> bool:
    return name not in _OURS and not name.startswith(_PROBE)


@retried
def _add_admin(database: Database, name: str, password: str) -> bool:
    with database.read() as tx:
        if tx.get(Account, name) is not None:
            return False
    hashed = passwords.hashed(password)
    with database.write(durable=True) as tx:
        passwords.add(tx, name=name, password=hashed, role=passwords.ADMIN, now_ms=utc_ms())
        return True


def check_writable(data: Path) -> None:
    """Raise ``UserFacing`` when ``data`` is not a folder that this process can write to."""
    probe = data / f"{_PROBE}{os.getpid()}"
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
