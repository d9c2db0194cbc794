"""Where the server keeps its rows and its segments, as ``server.toml`` in the data folder says. Read once at start.

Without the file: SQLite and files, both in the data folder. Passwords may stand in the file (it is made for its owner
alone to read) or where PostgreSQL's and S3's own clients look for them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from app.contract.errors import UserFacing
from server.db import postgres, sqlite
from server.db.database import Database
from server.storage.base import SegmentStore, StorageFull
from server.storage.filesystem import FileStore
from server.synced import write_whole

NAME = "server.toml"
DATABASE = "fairlock.db"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """``[database]``: the address of a PostgreSQL database; empty for SQLite in the data folder."""

    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """``[store]``: a bucket of an S3-compatible store; without one, files in the data folder.

    Without keys boto3 looks where it always does: environment, ``~/.aws``, the machine's own role.
    """

    bucket: str = ""
    endpoint: str = ""
    region: str = ""
    prefix: str = ""
    access_key: str = ""
    secret_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of ``server.toml``."""

    database: DatabaseSettings = DatabaseSettings()
    store: StoreSettings = StoreSettings()


def load(path: Path, *, required: bool = False) -> Settings:
    """Read a settings file, the defaults where there is none; raises ``UserFacing``, where it is ``required`` too."""
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if required:
            raise _unfit(path, "is not there") from None
        return Settings()
    except (OSError, ValueError) as error:
        raise _unfit(path, f"can't be read ({error})") from error
    parts = {name: said.pop(name, {}) for name in ("database", "store")}
    if said:
        raise _unfit(path, f"has settings that nobody knows: {', '.join(sorted(said))}")
    return Settings(
        database=_part(DatabaseSettings, parts["database"], path, "database"),
        store=_part(StoreSettings, parts["store"], path, "store"),
    )


def keep(path: Path, data: Path) -> None:
    """Copy a settings file to where the server looks, for its owner alone to read; raises ``UserFacing``."""
    kept, said = data / NAME, path.read_bytes()
    if kept.exists():
        if kept.read_bytes() == said:
            return
        raise UserFacing(
            f"{kept} is there already and says something else.",
            advice="Edit that file, or delete it first.",
            code="E-SETTINGS",
        )
    write_whole(kept, said)


def open_database(settings: Settings, data: Path) -> Database:
    """Return the database, not connected yet; raises ``UserFacing`` for an address that is none."""
    return postgres.connect(settings.database.url) if settings.database.url else sqlite.connect(data / DATABASE)


def open_store(settings: Settings, data: Path) -> SegmentStore:
    """Return the store of segments; raises ``UserFacing`` when it can't be used."""
    store = settings.store
    if not store.bucket:
        return FileStore(data)
    # A second of loading that a server with files need not wait for.
    from server.storage.s3 import S3Store  # noqa: PLC0415
    from server.storage.s3_client import connect  # noqa: PLC0415

    client = connect(
        bucket=store.bucket,
        endpoint=store.endpoint,
        region=store.region,
        access_key=store.access_key,
        secret_key=store.secret_key,
    )
    try:
        return S3Store(client, bucket=store.bucket, prefix=store.prefix, drafts=data / "incoming")
    except (StorageFull, FileNotFoundError) as error:
        raise UserFacing(
            f"The uploads under way in the bucket {store.bucket} can't be listed and cleared ({error}).",
            advice="Give the key in server.toml the right to list and to abort multipart uploads, and look at the log.",
            code="E-STORE",
        ) from error


def _part(cls: type[T], said: object, path: Path, name: str) -> T:
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]  # both are dataclasses
    if not isinstance(said, Mapping):
        raise _unfit(path, f"has no table [{name}] where it names one")
    values: Mapping[str, Any] = said
    for key, value in values.items():
        if key not in known:
            raise _unfit(path, f"has a setting that nobody knows: {name}.{key}")
        if not isinstance(value, str):
            raise _unfit(path, f"gives {name}.{key} a value that is not text")
    return cls(**values)


def _unfit(path: Path, why: str) -> UserFacing:
    return UserFacing(
        f"The settings file {path} {why}.", advice="docs/server.md lists the settings.", code="E-SETTINGS"
    )
