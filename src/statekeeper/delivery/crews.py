"""Where user functions run: each function has a crew of its own, so that one that blocks delays nobody else.

A plain function has a few threads. An async one has a loop in a thread: if it blocks that loop, only its own calls
wait. No crew can keep the process from ending, since its threads are daemons; it starts them with its first call.

A call given up on may go on: a thread cannot be stopped, and a coroutine may refuse to be. `start` returns a future
that is done only when the call really is over, so that whoever counts calls can count those as well. Nothing that a
function raises leaves its crew: it becomes the `Answer`.
"""

import asyncio
import inspect
from collections.abc import Awaitable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol

import structlog

from statekeeper.core.callbacks import SessionEnded
from statekeeper.core.retry import Outcome
from statekeeper.delivery.answers import Answer, delivered, failed, storable
from statekeeper.delivery.daemons import Daemons, begun, start_daemon
from statekeeper.delivery.registry import Function, GiveUp, RetryLater

THREADS: Final = 4
COROUTINES: Final = 16
log = structlog.get_logger()


class Crew(Protocol):
    """Runs one function; `size` calls of it at once."""

    size: int

    def start(self, ended: SessionEnded) -> Future[Answer]:
        """Begin a call; the future cannot be cancelled, and is done when the call is over."""
        ...

    def abandon(self, call: Future[Answer]) -> None:
        """Nobody waits for this call any more: stop it if it can be stopped."""
        ...

    def close(self) -> None:
        """Take no more calls; what runs is left to end, or to die with the process."""
        ...


def crew_for(function: Function, name: str) -> Crew:
    return Loop(function, name) if inspect.iscoroutinefunction(function) else Threads(function, name)


class Threads:
    """A bounded pool of threads for one plain function."""

    size = THREADS

    def __init__(self, function: Function, name: str) -> None:
        self._function = function
        self._daemons = Daemons(self.size, _named(name))

    def start(self, ended: SessionEnded) -> Future[Answer]:
        return self._daemons.start(partial(_call, self._function, ended))

    def abandon(self, call: Future[Answer]) -> None:
        """A thread cannot be stopped: the call goes on, and its slot stays taken until it is over."""

    def close(self) -> None:
        self._daemons.close()


class Loop:
    """An event loop in a thread for one async function."""

    size = COROUTINES

    def __init__(self, function: Function, name: str) -> None:
        self._function = function
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[Future[Answer], asyncio.Task[Answer]] = {}
        self._closing = False

    def start(self, ended: SessionEnded) -> Future[Answer]:
        call: Future[Answer] = begun()
        loop = self._loop or self._open()
        loop.call_soon_threadsafe(self._begin, loop, call, ended)
        return call

    def abandon(self, call: Future[Answer]) -> None:
        self._tell(self._cancel, call)

    def close(self) -> None:
        self._closing = True
        self._tell(_stop)

    def _open(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.new_event_loop()
        start_daemon(partial(self._serve, self._loop), _named(self._name))
        return self._loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the loop until it is closed, whatever tasks that the function began on its own may raise."""
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.get_loop()
            while not self._closing:
                try:
                    loop.run_forever()
                except BaseException:  # a SystemExit in a task that the function began ends no service
                    log.exception("callback_loop_interrupted", subscriber=self._name)

    def _begin(self, loop: asyncio.AbstractEventLoop, call: Future[Answer], ended: SessionEnded) -> None:
        task = loop.create_task(_await(self._function, ended))
        self._tasks[call] = task
        task.add_done_callback(partial(self._end, call))

    def _end(self, call: Future[Answer], task: asyncio.Task[Answer]) -> None:
        del self._tasks[call]
        call.set_result(Answer(Outcome.FAILED, "cancelled") if task.cancelled() else task.result())

    def _cancel(self, call: Future[Answer]) -> None:
        if task := self._tasks.get(call):
            task.cancel()

    def _tell(self, action: Any, *arguments: object) -> None:  # noqa: ANN401 -- call_soon_threadsafe's own types
        """Have the loop do something, unless it was never begun or has ended."""
        if self._loop:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(action, *arguments)


def _stop() -> None:
    asyncio.get_running_loop().stop()


def _named(name: str) -> str:
    return f"callback {name}"


def _call(function: Function, ended: SessionEnded) -> Answer:
    """Call a plain function; what it returns is awaited if it can be (it wraps an async one)."""
    try:
        result = function(ended)
        if inspect.isawaitable(result):
            result = asyncio.run(_resolve(result))
    except BaseException as error:  # noqa: BLE001 -- not even SystemExit in a user's function ends the service
        return _answer(error)
    return delivered(result)


async def _await(function: Any, ended: SessionEnded) -> Answer:  # noqa: ANN401 -- an async Function
    try:
        result = await function(ended)
    except BaseException as error:  # noqa: BLE001 -- same
        return _answer(error)
    return delivered(result)


async def _resolve(result: Awaitable[object]) -> object:
    return await result


def _answer(error: BaseException) -> Answer:
    if isinstance(error, GiveUp):
        return Answer(Outcome.GAVE_UP, storable(str(error)) or None)
    if isinstance(error, RetryLater):
        return Answer(Outcome.FAILED, storable(str(error)), retry_in=error.delay)
    return failed(error)
