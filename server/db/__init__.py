"""The database: models, connections, migrations."""
