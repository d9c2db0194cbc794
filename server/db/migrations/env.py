"""Run by Alembic: connects the migration steps with the engine that ``server.db.migrate`` hands over."""

from alembic import context

from server.db.models import Base

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    if connection.dialect.name == "postgresql":
        # Two servers that start at once take turns; the second one finds nothing left to do.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7020115)")
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
