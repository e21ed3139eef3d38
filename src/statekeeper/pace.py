"""Long work on the store, a portion at a time, with room for everybody else.

A portion is one job in a transaction of the writer's. It is followed by a rest as long as it took, so that webhooks
have the store at least half of the time.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Rest = Callable[[float], Awaitable[object]]


@asynccontextmanager
async def paced(rest: Rest = asyncio.sleep) -> AsyncIterator[None]:
    """Around a portion: rest as long as it took, in seconds. One that fails is not rested from."""
    began = time.perf_counter()
    yield
    await rest(time.perf_counter() - began)
