"""Migrations equal the tables, on both engines, down to the predicates of partial indexes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect, select, text
from sqlalchemy import Table as CoreTable
from sqlalchemy.schema import CreateIndex

from databases import empty, rows
from statekeeper.core.errors import SchemaError
from statekeeper.store import schema
from statekeeper.store.database import Database
from statekeeper.store.tables import (
    AuditRow,
    EventRow,
    FeedHeadRow,
    SessionRow,
    SignInRow,
    Table,
    TransitionRow,
    table,
)


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


async def test_a_store_of_the_first_release_keeps_its_sessions_and_gains_the_feed(database: Database):
    """Its steps get positions in the order of their times, and its sessions say what they went on without."""
    await _upgrade_from(database, "0001", _fill)
    steps = "SELECT position, ordinal, terminal, ends FROM transitions ORDER BY position"
    assert await rows(database, steps) == [(1, 1, False, 0), (2, 2, True, 1), (3, 1, False, 1)]
    assert await rows(database, "SELECT position, ends FROM feed_heads") == [(3, 1)]
    async with database.reader.connect() as connection:
        of = table(SessionRow)
        found = (await connection.execute(select(of.c.given_up, of.c.inferred).order_by(of.c.state.desc()))).all()
    assert [tuple(row) for row in found] == [(None, None), ([1], ["session.created"])]


async def test_a_store_of_the_first_release_knows_how_many_sessions_are_where(database: Database):
    """Those that have taken no step are not among them."""
    await _upgrade_from(database, "0001", _fill, _hold)
    async with database.reader.connect() as connection:
        states = (await connection.execute(select(table(FeedHeadRow).c.states))).scalar_one()
    assert states == {"completed": 1, "created": 1}


@pytest.mark.parametrize("release", ["0001", "0002"])
async def test_sessions_that_were_contradicted_before_the_column_was_there_are_marked(database: Database, release: str):
    """Whoever was not is not, and a store without a conflict has none."""
    await _upgrade_from(database, release, _fill, _hold)
    assert await _contradicted(database) == []
    await empty(database)
    await _upgrade_from(database, release, _fill, _hold, _contradict)
    assert await _contradicted(database) == [UUID(int=2), UUID(int=3)]


async def test_what_people_did_before_their_accounts_were_kept_stays_and_nobody_is_signed_out(database: Database):
    await _upgrade_from(database, "0003", _act, _sign_in)
    assert await rows(database, "SELECT actor, account FROM audit_entries") == [("anna", None)]
    assert await rows(database, "SELECT name, account FROM sign_ins") == [("anna", None)]


async def _contradicted(database: Database) -> list[UUID]:
    of = table(SessionRow).c
    async with database.reader.connect() as connection:
        found = await connection.execute(select(of.session_id).where(of.contradicted).order_by(of.session_id))
    return list(found.scalars())


async def _upgrade_from(database: Database, release: str, *fill: Callable[[Connection], None]) -> None:
    async with database.writer.begin() as connection:
        await connection.run_sync(_migrate, command.downgrade, release)
        for each in fill:
            await connection.run_sync(each)
    async with database.writer.begin() as connection:
        await connection.run_sync(_migrate, command.upgrade, "head")


def _migrate(connection: Connection, move, revision: str) -> None:
    config = schema._config()
    config.attributes["connection"] = connection
    move(config, revision)


def _fill(connection: Connection) -> None:
    """A session whose beginning was given up on, and a later one that has only begun."""
    for number, state, cursor, contiguous in ((1, "completed", 2, False), (2, "created", 1, True)):
        _tell(connection, number, state, cursor, contiguous=contiguous)
        _claim(connection, number, 1, "applied", cursor)
    for number, ordinal, cause in ((2, 1, "event"), (1, 1, "inferred"), (1, 2, "event")):
        step = {"session_id": UUID(int=number), "ordinal": ordinal, "source": "s", "target": "t", "cause": cause}
        borne = {"trigger": "session.created", "event_id": "e" if cause == "event" else None}
        connection.execute(_STEPS.insert().values(step | borne | {"at": AT + timedelta(seconds=number)}))


def _hold(connection: Connection) -> None:
    """A session that has taken no step."""
    _tell(connection, 3, "pending", 0, held=[2])
    _claim(connection, 3, 1, "held", 2)


def _contradict(connection: Connection) -> None:
    """One claim against the session that has begun, and two against the one that has not."""
    for number, arrival, sequence in ((2, 2, 1), (3, 2, 2), (3, 3, 2)):
        _claim(connection, number, arrival, "conflict", sequence)


def _tell(connection: Connection, number: int, state: str, cursor: int, **more: object) -> None:
    session = {"session_id": UUID(int=number), "state": state, "terminal": state == "completed", "cursor": cursor}
    rest = {"contiguous": True, "held": [], "applied": [cursor], "ordinal": cursor, "arrivals": 1}
    chart = {"chart_id": "c", "chart_version": "v", "first_seen_at": AT, "updated_at": AT}
    connection.execute(_SESSIONS.insert().values(session | rest | chart | more))


def _claim(connection: Connection, number: int, arrival: int, disposition: str, sequence: int) -> None:
    key = {"session_id": UUID(int=number), "arrival": arrival, "event_id": f"e{arrival}", "sequence": sequence}
    facts = {"name": "n", "digest": bytes([arrival] * 32), "disposition": disposition, "received_at": AT}
    connection.execute(table(EventRow).insert().values(key | facts | {"token": "t", "key_thumbprint": "k"}))


def _act(connection: Connection) -> None:
    entry = {"at": AT, "actor": "anna", "role": "support", "via": "console", "act": "session.note", "effect": {}}
    connection.execute(_without(AuditRow, "account").insert().values(entry))


def _sign_in(connection: Connection) -> None:
    person = {"name": "anna", "role": "support", "method": "oidc", "created_at": AT, "seen_at": AT}
    hashes = {"digest": "a" * 64, "seal": "b" * 64, "csrf": "c" * 43}
    connection.execute(_without(SignInRow, "account").insert().values(person | hashes))


AT = datetime(2026, 1, 8, tzinfo=UTC)


def _without(model: type[Table], *later: str) -> CoreTable:
    """A table as an earlier release had it."""
    columns = (column._copy() for column in table(model).columns if column.name not in later)
    return CoreTable(table(model).name, MetaData(), *columns)


_SESSIONS = _without(SessionRow, "contradicted", "given_up", "inferred")
_STEPS = _without(TransitionRow, "terminal", "position", "ends")


async def _set_revision(database: Database, revision: str) -> None:
    async with database.writer.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
