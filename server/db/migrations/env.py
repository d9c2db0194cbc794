"""Run by Alembic: connects the migration steps with the engine that ``server.db.migrate`` hands over."""

from alembic import context

from server.db.models import Base

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
