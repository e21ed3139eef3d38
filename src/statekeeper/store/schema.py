"""The schema's version: migrations by Alembic, run on the writer's connection.

`serve` upgrades an embedded SQLite file by itself; on PostgreSQL it refuses to start on an old or empty schema, since
many nodes share it and the operator decides when. A schema newer than the program is refused on both.
"""

from functools import cache
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from statekeeper.core.errors import SchemaError
from statekeeper.resources import directory
from statekeeper.store.database import Database
from statekeeper.store.statements import is_postgres

_ADVISORY_LOCK: Final = 5_823_017_446


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(directory("alembic")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def _scripts() -> ScriptDirectory:
    """The migrations that this program brings; none is added while it runs."""
    return ScriptDirectory.from_config(_config())


def head() -> str:
    """The revision that this program needs."""
    return _scripts().get_current_head() or ""


async def current(database: Database) -> str | None:
    """The revision of the store, or None if it is empty."""
    async with database.reader.connect() as connection:
        return await connection.run_sync(_current)


async def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the store to this program's revision: from which, to which. Raises `SchemaError` if it is newer."""
    async with database.writer.begin() as connection:
        return await connection.run_sync(_upgrade)


async def check(database: Database) -> None:
    """Raise `SchemaError`, saying which command to run, unless the store's revision is this program's."""
    found = await current(database)
    _refuse_newer(found)
    if found is None:
        raise SchemaError("The store has no schema yet; run `statekeeper db upgrade`.")
    if found != head():
        message = f"The store's schema is {found}, this program needs {head()}; run `statekeeper db upgrade`."
        raise SchemaError(message)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> tuple[str | None, str]:
    """Two that upgrade at once wait for each other: SQLite's transaction sees to it, PostgreSQL's is given a lock."""
    if is_postgres(connection):
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    found = _current(connection)
    _refuse_newer(found)
    if found != head():
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return found, head()


def _refuse_newer(found: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        message = f"The store's schema is {found}, which is newer than this program; install the version that wrote it."
        raise SchemaError(message)
