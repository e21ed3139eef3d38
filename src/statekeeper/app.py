"""The composition root: settings in, a service out.

`Service` builds every part in the order of their dependence. While it is `running` the store is open, its schema right,
and the supervised tasks live; they end in the reverse order. Nothing that was answered 200 is in memory only, so that
the end may be sudden as well. `create_app` is the same as one ASGI app with a lifespan, for any
server; `statekeeper serve` runs the service around uvicorn, so that what is wrong at the start has its exit code.
"""

import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final, Self

import structlog
from litestar import Litestar

from statekeeper import console
from statekeeper.acts import Acts
from statekeeper.admission import access_policy, entrance_of
from statekeeper.api import AccessPolicy, Wiring, build
from statekeeper.console.entrance.reception import Reception
from statekeeper.console.entrance.sign_ins import SignIns
from statekeeper.delivery.administration import Administration
from statekeeper.delivery.handlers import check_names, load_handlers
from statekeeper.delivery.relay import Relay
from statekeeper.engine import Engine
from statekeeper.meter import Meter
from statekeeper.metrics import UNDECIDABLE
from statekeeper.policies import KeySets, delivery_policy, journal_of, keyring_of, webhook_policy
from statekeeper.recoverer import Recoverer
from statekeeper.resources import default_chart
from statekeeper.roster import Roster
from statekeeper.settings import Settings, load_settings, require_serving
from statekeeper.store import schema
from statekeeper.store.charts import Charts
from statekeeper.store.database import Database
from statekeeper.store.journal import Entry
from statekeeper.store.queries import Queries
from statekeeper.store.queries.reader import Reader
from statekeeper.store.sign_ins import Limits
from statekeeper.supervisor import Finish, Supervisor
from statekeeper.tail import Tail
from statekeeper.watchers import FEED, Watchers
from statekeeper.writer import Writer

log = structlog.get_logger()


class Service:
    """All parts of one process, made from its settings; raises `OperatorError` where they cannot be served with."""

    def __init__(self, settings: Settings, on_death: Callable[[], None] | None = None) -> None:
        require_serving(settings)
        chart = default_chart()
        self._roster: Final = Roster(settings, load_handlers(settings.callbacks, chart.finals))
        check_names(each.subscriber for each in self._roster.members)
        for name, refusal in self._roster.out_of_reach.items():
            log.warning("endpoint_out_of_reach", endpoint=name, detail=refusal)
        policy = webhook_policy(settings)
        self.supervisor: Final = Supervisor(on_death or _terminate)
        self.database: Final = Database.open(settings.database_url.get_secret_value())
        self._directory: Final = self._roster.directory(self._on_roster)
        journal = journal_of(settings, Charts(chart), self._directory.subscribers)
        self._writer: Final = Writer(self.database, journal, after_commit=self._after_commit)
        self._keyring: Final = keyring_of(settings, policy, KeySets(self.database, self._writer))
        self._reader: Final = Reader(self.database.reader)
        self._queries: Final = Queries(self._reader)
        delivery = delivery_policy(settings.delivery)
        self._relay: Final = Relay(
            self._writer.execute, self._directory.senders, delivery, subscribers=lambda: self._directory.subscribers
        )
        self.engine: Final = Engine(self._keyring, policy, journal, self._writer, Watchers())
        self.acts: Final = Acts(
            self._writer.execute, self._reader.read, journal, self._directory.where, self._relay.wake
        )
        self.recoverer: Final = Recoverer(
            self._writer, self._queries.recoveries, lambda: self._directory.subscribers, self._relay.wake
        )
        self._meter: Final = Meter(self._writer.execute)
        self._tail: Final = Tail(self._queries.feed, self.engine.watchers)
        self._entrance: Final = entrance_of(settings)
        self.app: Final = self._build(settings, self._administration(delivery.timeout))

    def _build(self, settings: Settings, administration: Administration) -> Litestar:
        """The HTTP around the parts, and the console if it is wanted."""
        parts = Wiring(
            self.engine,
            self._queries,
            self._readiness,
            self._directory.senders,
            administration,
            self.recoverer,
            self._tail,
            self.engine.journal.gap_timeout,
            self.acts,
        )
        access = access_policy(settings)
        doors = self._console(settings, access) if settings.console.enabled else {}
        return build(parts, access, [self._lifespan], **doors)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Open the store, start the tasks, and end it all in the reverse order; raises `OperatorError`."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.database.close)
            self.database.claim_file()
            await self._prepare_schema()
            self._supervise(stack, "writer", self._writer.run(), self._writer.stop)
            await self._writer.execute(self.engine.journal.charts.register)
            stack.push_async_callback(self._roster.close)
            await self._directory.refresh(self._reader.read)
            stack.push_async_callback(self._keyring.close)
            await self._keyring.start()
            if self._entrance:
                stack.push_async_callback(self._entrance.provider.close)
            self._supervise(stack, "keyring", self._keyring.run())
            self._supervise(stack, "relay", self._relay.run(), self._relay.close)
            watching = self._directory.watch(self._reader.read, self._writer.execute)
            self._supervise(stack, "endpoints", watching)
            self._supervise(stack, "gaps", self.engine.watch_gaps())
            self._supervise(stack, "recoveries", self.recoverer.run())
            self._supervise(stack, "minutes", self._meter.run(), self._meter.close)
            stack.push_async_callback(self._tail.close)
            self._supervise(stack, "feed", self._tail.run())
            stack.callback(self.stop_waiting)
            yield self

    def _administration(self, seconds: float) -> Administration:
        catalogue = self._roster.catalogue()
        parts = self._writer.execute, self._reader.read, catalogue, self._directory
        return Administration(*parts, seconds, self._relay.wake)

    def _console(self, settings: Settings, access: AccessPolicy) -> dict[str, Any]:
        """The console's pages, and the guard before them."""
        limits = Limits(
            *(timedelta(seconds=each) for each in (settings.console.idle_timeout, settings.console.lifetime))
        )
        sign_ins = SignIns(self.database, self._writer.offer, limits, access)
        reception = Reception(access, sign_ins, settings.console.url, self._entrance)
        return {"more": console.routes(), "guard": partial(console.Guard, reception=reception)}

    def stop_waiting(self) -> None:
        """Answer all long waits at once: the service has been told to stop."""
        self.engine.watchers.close()

    def _supervise(
        self, stack: AsyncExitStack, name: str, work: Coroutine[Any, Any, None], finish: Finish | None = None
    ) -> None:
        """Start a task, and see to its end: by `finish`, which lets it end what it has in hand, or by cancelling it."""
        self.supervisor.start(name, work)
        stack.push_async_callback(self.supervisor.end, name, finish)

    async def _prepare_schema(self) -> None:
        """An embedded file is upgraded; a database that nodes share is the operator's to upgrade."""
        if self.database.path is None:
            await schema.check(self.database)
            return
        found, head = await schema.upgrade(self.database)
        if found != head:
            log.info("schema_upgraded", was=found, now=head)

    def _after_commit(self, entry: Entry) -> None:
        """Tell those who wait that something is on disk."""
        if entry.callbacks and not self.engine.journal.first_delay:  # else nothing of it is due yet: a poll finds it
            self._relay.wake()
        self.engine.watchers.notify(entry.changed)
        if entry.steps:
            self.engine.watchers.notify((FEED,))
        for session_id, subscriber in entry.undecidable:
            UNDECIDABLE.labels(subscriber).inc()
            log.warning("callback_not_decidable", session_id=str(session_id), subscriber=subscriber)

    def _on_roster(self) -> None:
        """What is committed from now on is owed to these."""
        self.engine.journal.subscribers = self._directory.subscribers
        self._relay.wake()

    def _readiness(self) -> Mapping[str, bool]:
        return {"keys": self._keyring.ready, "tasks": self.supervisor.alive, "writes": self._writer.healthy}

    @asynccontextmanager
    async def _lifespan(self, _app: Litestar) -> AsyncIterator[None]:
        async with self.running():
            yield


def create_app(settings: Settings | None = None) -> Litestar:
    """The service as an ASGI app with a lifespan; without settings, those of the environment and the TOML file."""
    return Service(settings or load_settings()).app


def _terminate() -> None:
    """End this process as an operator would: what is in hand is finished, and the supervisor of processes restarts."""
    os.kill(os.getpid(), signal.SIGTERM)
