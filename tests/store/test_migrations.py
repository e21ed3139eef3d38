"""Migrations equal the tables, on both engines, down to the predicates of partial indexes."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.schema import CreateIndex

from databases import empty, rows
from statekeeper.core.errors import SchemaError
from statekeeper.store import schema
from statekeeper.store.database import Database
from statekeeper.store.tables import Table


async def test_migrations_equal_the_tables(database: Database):
    async with database.writer.connect() as connection:
        assert await connection.run_sync(_differences) == []


def _differences(connection: Connection) -> list:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, Table.metadata)


async def test_the_predicates_of_partial_indexes_equal_the_tables(database: Database):
    """Alembic's comparison does not see them."""
    async with database.writer.connect() as connection:
        migrated = await connection.run_sync(_index_texts)
        await connection.run_sync(_make_anew)
        assert await connection.run_sync(_index_texts) == migrated
        await connection.rollback()


def _make_anew(connection: Connection) -> None:
    inspector = inspect(connection)
    for each in Table.metadata.sorted_tables:
        for index in inspector.get_indexes(each.name):
            connection.execute(text(f'DROP INDEX "{index["name"]}"'))
        for index in each.indexes:
            connection.execute(CreateIndex(index))


def _index_texts(connection: Connection) -> list[tuple[str, str]]:
    catalogue = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    }
    found = connection.execute(text(catalogue[connection.dialect.name]))
    return sorted((name, " ".join(definition.split())) for name, definition in found)


async def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database: Database):
    assert await schema.upgrade(database) == (schema.head(), schema.head())
    await schema.check(database)


async def test_a_schema_newer_than_the_program_is_refused(database: Database):
    await _set_revision(database, "9999")
    try:
        with pytest.raises(SchemaError, match="newer than this program"):
            await schema.upgrade(database)
        with pytest.raises(SchemaError, match="newer than this program"):
            await schema.check(database)
    finally:
        await _set_revision(database, schema.head())


async def test_an_empty_store_is_refused_with_the_command_to_run(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(SchemaError, match="statekeeper db upgrade"):
        await schema.check(database)
    await database.close()


async def test_the_store_can_be_taken_down_to_nothing_and_up_again(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}")
    assert await schema.upgrade(database) == (None, schema.head())
    assert await schema.current(database) == schema.head()
    await empty(database)
    assert await rows(database, "SELECT * FROM sessions") == []
    await database.close()


async def _set_revision(database: Database, revision: str) -> None:
    async with database.writer.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
