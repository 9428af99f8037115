"""Alembic's entry: runs migrations over the engine that store.migrate gives it."""

from alembic import context

from review.store.engine import WRITE
from review.store.tables import metadata

engine = context.config.attributes["engine"]
writing = engine.execution_options(**WRITE)  # SQLite's writer lock is taken before the revision is read
with writing.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
