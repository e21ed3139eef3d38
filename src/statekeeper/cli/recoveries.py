"""`statekeeper callbacks recover` and `backfill`: many callbacks at once, first as a number and then for good.

The portions are worked off here, on the store, so that no service need run; one that runs takes turns at them, and
sends what is due. Whatever this is interrupted in goes on with the service, or with the next call.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import rich_click as click
from rich.progress import Progress as Bars
from sqlalchemy import Connection

from statekeeper.cli.actors import actor
from statekeeper.cli.flags import settings, store_flags, subscriber_flags
from statekeeper.cli.kinds import SINCE
from statekeeper.cli.screen import counted, progress, show_json, show_line
from statekeeper.cli.store import execute, with_store
from statekeeper.core.errors import NotFound, RecoveryUnderWay
from statekeeper.core.instants import rfc3339, to_milliseconds
from statekeeper.core.recovery import Recovery, RecoveryKind, RecoveryProgress
from statekeeper.core.subscribers import Subscriber
from statekeeper.delivery.handlers import load_subscriptions
from statekeeper.resources import default_chart
from statekeeper.settings import BrokerSettings, EndpointSettings, Settings
from statekeeper.store import recovery as store
from statekeeper.store import schema
from statekeeper.store.database import Database
from statekeeper.store.outbox import is_subscriber
from statekeeper.store.queries.reader import Reader
from statekeeper.store.queries.recoveries import Recoveries
from statekeeper.store.recorded import begin_recovery
from statekeeper.store.subscribers import stored_subscriber
from statekeeper.store.views import RecoveryPlanView, RecoveryView

TURN_SECONDS: Final = 0.1
_CALLBACKS: Final = {
    RecoveryKind.RETRY: ("dead callback", "dead callbacks"),
    RecoveryKind.BACKFILL: ("callback", "callbacks"),
}
_WHAT: Final = {
    RecoveryKind.RETRY: "{} of {name}, created since {since}",
    RecoveryKind.BACKFILL: "{} that {name} has missed, of sessions that ended since {since}",
}
F = TypeVar("F", bound=Callable[..., Any])


def _recovery_flags(command: F) -> F:
    for flag in (
        click.option("--json", "as_json", is_flag=True, help="Print the document that the API answers with."),
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Only say how many there are; nothing is changed."),
        click.option(
            "--since", type=SINCE, required=True, help="From then on: `30m`, `2h`, `3d`, or an RFC 3339 time."
        ),
        click.argument("subscriber", metavar="SUBSCRIBER"),
    ):
        command = flag(command)
    return command


@click.command()
@store_flags
@_recovery_flags
def recover(**asked: Any) -> None:  # noqa: ANN401 -- click's
    """Send all dead callbacks of a subscriber again that were created since a time, each with a fresh schedule.

    ```
    statekeeper callbacks recover crm --since 2h --dry-run
    statekeeper callbacks recover crm --since 2026-01-08T08:00:00Z --yes
    ```
    """
    _run(RecoveryKind.RETRY, **asked)


@click.command()
@subscriber_flags
@_recovery_flags
def backfill(**asked: Any) -> None:  # noqa: ANN401 -- click's
    """Send a subscriber what it has missed: a callback of every session that ended since a time and fits its filters.

    Of a session that it has a callback of already there is none, so that nothing is sent twice.

    ```
    statekeeper callbacks backfill crm --since 3d --dry-run
    statekeeper callbacks backfill crm --since 2026-01-08T08:00:00Z --yes
    ```
    """
    _run(RecoveryKind.BACKFILL, **asked)


def _run(
    kind: RecoveryKind, *, subscriber: str, since: datetime | timedelta, dry_run: bool, yes: bool, as_json: bool
) -> None:
    now = settings()
    recovery, total = with_store(lambda database: _plan(database, now, kind, subscriber, since))
    what = _WHAT[kind].format(counted(total, *_CALLBACKS[kind]), name=subscriber, since=rfc3339(recovery.since))
    if dry_run:
        times = rfc3339(recovery.since), rfc3339(recovery.until)
        view = RecoveryPlanView(kind, subscriber, *times, total, dry_run=True)
        show_json(view) if as_json else show_line(f"{what}.")
        return
    if total and not yes:
        click.confirm(f"{what}: send them?", abort=True, err=True)
    with progress() as bars:
        done = with_store(lambda database: _recover(database, recovery, total, bars))
    if as_json:
        show_json(done)
    else:
        what = counted(done.done, f"callback of {subscriber} is", f"callbacks of {subscriber} are")
        show_line(f"{what} due now.")


async def _plan(
    database: Database, known: Settings, kind: RecoveryKind, name: str, since: datetime | timedelta
) -> tuple[Recovery, int]:
    """What it comes to. Its times are fixed here, so that what is done is what somebody agreed to."""
    await schema.check(database)

    def look(connection: Connection) -> tuple[Recovery, int]:
        now = database.now(connection)
        begin = to_milliseconds(since) if isinstance(since, datetime) else now - since
        subscriber = _owed(connection, known, name) if kind is RecoveryKind.RETRY else _find(connection, known, name)
        recovery = Recovery(kind, subscriber, begin, now)
        return recovery, store.plan(connection, recovery)

    async with database.reader.connect() as connection:
        return await connection.run_sync(look)


def _owed(connection: Connection, known: Settings, name: str) -> Subscriber:
    """Whoever has callbacks can have them sent again; where nobody bears that name now, they wait for one who does."""
    try:
        return _find(connection, known, name)
    except NotFound:
        if not is_subscriber(connection, name):
            raise
        show_line(f"Nobody is called {name} at present: what is made due waits until somebody is.", err=True)
        return Subscriber(name)


def _find(connection: Connection, known: Settings, name: str) -> Subscriber:
    """The subscriber as the service would load it: from the settings, the store, or the user's modules."""
    configured: list[EndpointSettings | BrokerSettings] = [*known.endpoints, *known.brokers]
    for each in configured:
        if each.name == name:
            return Subscriber.wanting(name, each.model_dump())
    if found := stored_subscriber(connection, name):
        return found
    for function in load_subscriptions(known.callbacks, default_chart().finals):
        if function.subscriber.name == name:
            return function.subscriber
    raise NotFound("subscriber", name)


async def _recover(database: Database, recovery: Recovery, total: int, bars: Bars) -> RecoveryView:
    """Begin it, as it was counted, and work it off; one that an earlier call has left unfinished comes first."""
    key = uuid4()
    while True:
        try:
            await execute(database, lambda c, now: begin_recovery(c, key, recovery, total, actor(), now))
        except RecoveryUnderWay as error:
            await _work_off(database, error.recovery_id, recovery.subscriber, bars)
        else:
            await _work_off(database, key, recovery.subscriber, bars)
            return await Recoveries(Reader(database.reader)).find(key)


async def _work_off(database: Database, key: UUID, subscriber: Subscriber, bars: Bars) -> None:
    """A portion after the other, with a rest as long as each, so that a service that runs has its turn."""
    bar = bars.add_task(f"recovery {key}", total=None)
    made: RecoveryProgress | None = None
    while not (made and made.finished):
        began = time.perf_counter()
        made = await execute(database, lambda connection, now: store.work(connection, key, subscriber, now))
        if made:
            bars.update(bar, completed=made.done, total=max(made.done, made.total))
        await asyncio.sleep(time.perf_counter() - began if made else TURN_SECONDS)
