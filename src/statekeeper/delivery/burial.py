"""The callbacks of endpoints that are deleted: they die in portions, by whoever deletes, and else by any node."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from statekeeper.delivery.courier import Execute
from statekeeper.pace import Rest, paced
from statekeeper.store import deletion
from statekeeper.store.deletion import Buried


@dataclass(slots=True)
class Burial:
    """All that this process buries, a portion at a time, whosesoever it is."""

    rest: Rest = asyncio.sleep
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def portion(self, execute: Execute, name: str, after: timedelta = timedelta()) -> Buried:
        """One portion, if the deletion is `after` ago; the rest from it included."""
        async with self._turn, paced(self.rest):
            return await execute(partial(deletion.bury, name, after=after))

    async def whole(self, execute: Execute, name: str, after: timedelta = timedelta()) -> int:
        """All of it, if the deletion is `after` ago; how many there were."""
        total, more = 0, True
        while more:
            buried = await self.portion(execute, name, after)
            total, more = total + buried.count, buried.more
        return total
