"""The last key set that each source gave, for the hours in which it gives none."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncEngine

from statekeeper.store.statements import upsert
from statekeeper.store.tables import KeySetRow, table

_key_sets: Final = table(KeySetRow)


def save_key_set(connection: Connection, source: str, document: str, fetched_at: datetime) -> None:
    """Keep a key set in place of the one before."""
    upsert(connection, _key_sets, [{"source": source, "document": document, "fetched_at": fetched_at}])


async def load_key_set(engine: AsyncEngine, source: str) -> tuple[str, datetime] | None:
    """The last set of this source and when it was fetched."""
    query = select(_key_sets.c.document, _key_sets.c.fetched_at).where(_key_sets.c.source == source)
    async with engine.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
    return (row.document, row.fetched_at) if row else None
