"""Settings for servers whose rows and segments lie elsewhere: a real PostgreSQL and a real S3-compatible store."""

import pytest

from tests.postgres import Cluster
from tests.s3_server import S3Server


def elsewhere(request: pytest.FixtureRequest) -> str:
    """Return a ``server.toml`` that names an empty database and an empty prefix of the test's own."""
    postgres: Cluster = request.getfixturevalue("postgres")
    store: S3Server = request.getfixturevalue("s3_server")
    return f'[database]\nurl = "{postgres.database()}"\n\n{store.settings()}'
