"""Recoveries: how far each is, which are to be worked off, and what one would come to."""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from statekeeper.core.errors import NotFound
from statekeeper.core.recovery import Recovery
from statekeeper.store import projections as show
from statekeeper.store.pages import DEFAULT_LIMIT, Walk
from statekeeper.store.queries.reader import Reader
from statekeeper.store.recovery import plan, unfinished
from statekeeper.store.tables import RecoveryRow, table
from statekeeper.store.views import RecoveryPage, RecoveryView

_recoveries: Final = table(RecoveryRow)
_WALK: Final = Walk(show.RECOVERY, _recoveries.c.created_at, _recoveries.c.recovery_id)


class Recoveries:
    """Finds one, lists many, and counts what is still to be done."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def find(self, recovery_id: UUID) -> RecoveryView:
        """One recovery, and how far it is; raises `NotFound`."""
        row = await self._reader.row(select(*show.RECOVERY).where(_recoveries.c.recovery_id == recovery_id))
        if row is None:
            raise NotFound("recovery", recovery_id)
        return show.recovery_view(row)

    async def page(self, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> RecoveryPage:
        """One page of recoveries, the newest first; raises `QueryRefused` for a bad limit or cursor."""
        rows = await self._reader.rows(_WALK.page((), (), limit, cursor))
        return RecoveryPage([show.recovery_view(row) for row in rows[:limit]], _WALK.next_cursor(rows, limit))

    async def unfinished(self) -> list[tuple[UUID, str]]:
        """Those that are to be worked off, each with its subscriber; the eldest first."""
        return await self._reader.ask(unfinished)

    async def total(self, recovery: Recovery) -> int:
        """How many callbacks a recovery comes to as things stand."""
        return await self._reader.ask(plan, recovery)
