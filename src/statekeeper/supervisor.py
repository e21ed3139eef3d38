"""The tasks that must live as long as the service: if one dies, the service is not ready, and ends.

A service whose writer or relay is gone would still answer; it must not look well, and a restart mends more than a
guess. `on_death` is called once, with the first task that died.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

Finish = Callable[[], Awaitable[None] | None]
log = structlog.get_logger()


class Supervisor:
    """Starts tasks and watches over them."""

    def __init__(self, on_death: Callable[[], None]) -> None:
        self._on_death = on_death
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self.died: str | None = None

    @property
    def alive(self) -> bool:
        """Whether all that was started still runs."""
        return bool(self._tasks) and self.died is None

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` for as long as the service lives."""
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)
        return task

    async def end(self, name: str, finish: Finish | None = None) -> None:
        """End a task, which is expected now: `finish` makes it end once it has done what is in hand; else cancel it."""
        task = self._tasks.pop(name)
        if finish is None:
            task.cancel()
        elif (finishing := finish()) is not None:
            await finishing
        await asyncio.gather(task, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        name = task.get_name()
        if self._tasks.get(name) is not task or self.died is not None:
            return
        self.died = name
        error = None if task.cancelled() else task.exception()
        log.critical("task_died", task=name, exc_info=error)
        self._on_death()
