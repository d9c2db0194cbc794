"""Bring a database to the schema that this version of the server knows; refuse one that is newer."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from app.contract.errors import UserFacing
from server.db.database import Database

SCRIPTS = Path(__file__).parent / "migrations"


def configuration(database: Database) -> Config:
    """Return Alembic's configuration; it works the same from a checkout and from an installed package."""
    config = Config()
    # ConfigParser reads % as the start of a reference.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["engine"] = database.engine
    return config


def upgrade(database: Database) -> None:
    """Run the migrations that are missing; raises ``UserFacing`` for a schema of a newer version, or a wrong set-up."""
    config = configuration(database)
    try:
        with database.engine.connect() as connection:
            present = MigrationContext.configure(connection).get_current_revision()
        _check_known(config, present)
        command.upgrade(config, "head")
    except DBAPIError as error:
        said = str(error.orig).partition("\n")[0]
        raise UserFacing(f"The database can't be used ({said}).", advice=_advice(error), code="E-DATABASE") from error


def _check_known(config: Config, present: str | None) -> None:
    try:
        if present is not None:
            ScriptDirectory.from_config(config).get_revision(present)
    except CommandError:
        raise UserFacing(
            f"The database was made by a newer version of the server (schema {present}).",
            advice="Install that version again, or restore the backup made before the upgrade.",
            code="E-SCHEMA-NEWER",
        ) from None


def _advice(error: DBAPIError) -> str:
    if isinstance(error, OperationalError):
        return "Check that it runs, that its disk has room, and what server.toml says of it."
    if isinstance(error, ProgrammingError):
        return "Let the user whom server.toml names own the database, so that it may make tables there."
    return "Restore it from the backup, with the rest of the data folder."
