"""Alembic's environment: it runs on the connection that `statekeeper.store.schema` hands it, and on no other."""

from alembic import context

from statekeeper.store.tables import Table

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
