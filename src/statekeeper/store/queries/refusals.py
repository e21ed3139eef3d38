"""Refusals: the verified webhooks that were no events, and what was wrong with each."""

from typing import Final

from sqlalchemy import select

from statekeeper.store import projections as show
from statekeeper.store.pages import MAX_LIMIT
from statekeeper.store.queries.reader import Reader
from statekeeper.store.tables import RefusalRow, table
from statekeeper.store.views import RefusalView

_refusals: Final = table(RefusalRow)


class Refusals:
    """Lists those that are kept."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def newest(self, limit: int = MAX_LIMIT) -> list[RefusalView]:
        """The newest verified webhooks that were no events."""
        query = select(*show.REFUSAL).order_by(_refusals.c.refusal_id.desc()).limit(limit)
        return [show.refusal_view(row) for row in await self._reader.rows(query)]
