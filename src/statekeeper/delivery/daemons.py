"""Threads for what may block for ever: daemons, for which no process waits at its end.

Those of `concurrent.futures` are joined when the interpreter ends: one that is stuck in a call would keep it. A thread
cannot be stopped, so that a call which nobody waits for any more goes on, and its future is done only when it is over.
"""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

T = TypeVar("T")


class Daemons:
    """So many threads at most, grown by one a call; what comes when all are taken waits for its turn."""

    def __init__(self, size: int, name: str) -> None:
        self.size: Final = size
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[Thread] = []

    def start(self, function: Callable[[], T]) -> Future[T]:
        """Begin a call; the future cannot be cancelled, and has what the function returns or raises."""
        call: Future[T] = begun()
        self._calls.put(lambda: _run(function, call))
        if len(self._threads) < self.size:
            self._threads.append(start_daemon(self._work, self._name))
        return call

    def close(self) -> None:
        """Take no more calls; what runs is left to end, or to die with the process."""
        for _ in self._threads:
            self._calls.put(None)

    def _work(self) -> None:
        while run := self._calls.get():
            run()


def begun() -> Future[Any]:
    """A future that cannot be cancelled: only the end of the call ends it."""
    call: Future[Any] = Future()
    call.set_running_or_notify_cancel()
    return call


def start_daemon(target: Callable[[], object], name: str) -> Thread:
    thread = Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


def _run(function: Callable[[], T], call: Future[T]) -> None:
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it is told to whoever waits for it
        call.set_exception(error)
    else:
        call.set_result(result)
