"""An empty database of each kind that the server runs on, for ``pytest.fixture(params=KINDS)``."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.db import sqlite
from server.db.database import Database
from server.db.postgres import connect
from tests.postgres import Cluster

KINDS = ("sqlite", "postgres")


def either_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Yield a database of the kind that is the parameter, and close it."""
    if request.param == "sqlite":
        database = sqlite.connect(tmp_path / "test.db")
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        database = connect(cluster.database())
    yield database
    database.close()
