"""What is done about endpoints, whoever asks for it: the API of a service that runs, or a command beside it.

An act is one transaction, and what it made of the roster is taken note of before it is answered. How an endpoint fares
and whether it is enabled is state, and kept in the store for those in the settings as well; only what they are is
theirs to say.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import uuid4

from sqlalchemy import Connection

from statekeeper.core.errors import CannotBeOpened, NotFound, NotYetFree, Unavailable
from statekeeper.core.health import HEALTHY, Health
from statekeeper.core.instants import rfc3339
from statekeeper.delivery.catalogue import Catalogue, Values
from statekeeper.delivery.courier import Execute, send_within
from statekeeper.delivery.directory import Directory, Member, Read
from statekeeper.store import endpoints, health
from statekeeper.store.attempts import Claim
from statekeeper.store.deletion import NOTICED
from statekeeper.store.endpoints import Owed, Record
from statekeeper.store.views import (
    EndpointHealthView,
    EndpointsView,
    EndpointView,
    OwedView,
    PingView,
    SecretEndpointView,
    SigningSecretView,
)

FUNCTION = "function"
T = TypeVar("T")


UNKNOWN_HEALTH: Final = EndpointHealthView("unknown", 0, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Figures:
    """How all fare, as of one moment."""

    health: dict[str, Health]
    owed: dict[str, Owed]


@dataclass(frozen=True, slots=True)
class Administration:
    """The acts. `seconds` bound a ping; `wake` tells the relay that something may be due."""

    execute: Execute
    read: Read
    catalogue: Catalogue
    directory: Directory
    seconds: float = 20
    wake: Callable[[], None] = lambda: None

    async def overview(self) -> EndpointsView:
        figures = await self.read(_figures)
        return EndpointsView([_view(self.directory.members[name], figures) for name in self._names()])

    async def show(self, name: str) -> EndpointView:
        member = self._find(name)
        return _view(member, await self.read(_figures))

    async def create(self, values: Values) -> SecretEndpointView:
        try:
            secret = await self._create(values)
        except NotYetFree:
            await self.directory.burial.whole(self.execute, values["name"], NOTICED)
            secret = await self._create(values)
        return _with_secret(await self._show_done(values["name"]), secret)

    async def change(self, name: str, patch: Values) -> EndpointView:
        await self._act(lambda c, now: self.catalogue.change(c, name, patch, now))
        return await self._show_done(name)

    async def rotate(self, name: str, secret: str | None, overlap: timedelta) -> SecretEndpointView:
        new = await self._act(lambda c, now: self.catalogue.rotate(c, name, secret, overlap, now))
        return _with_secret(await self._show_done(name), new)

    async def delete(self, name: str) -> int:
        """Returns how many callbacks are dead for it; they are made so in portions, for nobody to wait for all."""
        await self._act(lambda c, now: self.catalogue.delete(c, name, now))
        return await self.directory.burial.whole(self.execute, name)

    async def reseal(self) -> tuple[int, list[str]]:
        return await self._act(self.catalogue.reseal)

    async def enable(self, name: str) -> EndpointView:
        self._find(name)
        tell = self.directory.subscribers
        await self.execute(lambda c, now: health.enable(c, name, now, tell))
        self.wake()
        return await self._show_done(name)

    async def disable(self, name: str, reason: str) -> EndpointView:
        self._find(name)
        tell = self.directory.subscribers
        await self.execute(lambda c, now: health.disable(c, name, reason, now, tell))
        self.wake()
        return await self._show_done(name)

    async def ping(self, name: str) -> PingView:
        """Send a test message at once, past the queue, the circuit and the count of failures."""
        sender = self._find(name).sender
        if sender is None:
            raise CannotBeOpened(name)
        began, message_id = time.monotonic(), uuid4()
        claim = Claim(message_id, message_id, 0, name, _ping(name), 1, 0)
        answer = await send_within(self.seconds, sender, claim)
        took = round((time.monotonic() - began) * 1000)
        return PingView(str(message_id), answer.outcome, answer.detail, took, answer.response)

    async def _show_done(self, name: str) -> EndpointView:
        """What an act has left behind. It is done: its answer, which may hold a secret, does not fail for figures."""
        try:
            return await self.show(name)
        except Unavailable:
            return _view(self._find(name), None)

    async def _create(self, values: Values) -> str:
        return await self._act(lambda c, now: self.catalogue.create(c, values, now))

    async def _act(self, job: Callable[[Connection, datetime], T]) -> T:
        """Do it, and let the roster be what the store has then."""

        def act(connection: Connection, now: datetime) -> tuple[T, list[Record]]:
            return job(connection, now), self.directory.read_records(connection)

        async with self.directory.changing:
            value, records = await self.execute(act)
            self.directory.take(records)
        return value

    def _names(self) -> list[str]:
        return sorted(name for name, member in self.directory.members.items() if member.kind != FUNCTION)

    def _find(self, name: str) -> Member:
        member = self.directory.members.get(name)
        if member is None or member.kind == FUNCTION:
            raise NotFound("endpoint", name)
        return member


def _figures(connection: Connection) -> Figures:
    return Figures(health.read_all(connection), endpoints.owed(connection))


def _ping(name: str) -> str:
    body = {"type": "ping", "timestamp": rfc3339(datetime.now(UTC)), "data": {"endpoint": name}}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def _view(member: Member, figures: Figures | None) -> EndpointView:
    subscriber, record, now = member.subscriber, member.record, datetime.now(UTC)
    return EndpointView(
        name=member.name,
        kind=member.kind,
        origin="api" if record else "settings",
        usable=member.sender is not None,
        url=member.shown_url,
        secrets=[SigningSecretView(_instant(each.expires_at)) for each in member.secrets if each.is_valid(now)],
        transitions=subscriber.scope,
        states=sorted(subscriber.states),
        environments=sorted(subscriber.environments),
        flows=sorted(subscriber.flows),
        notices=sorted(subscriber.notices),
        concurrency=member.concurrency,
        rate=member.rate,
        health=_health(figures.health.get(member.name, HEALTHY)) if figures else UNKNOWN_HEALTH,
        callbacks=_owed(figures.owed.get(member.name, Owed())) if figures else OwedView(None, None),
        created_at=_instant(record.created_at) if record else None,
        updated_at=_instant(record.updated_at) if record else None,
    )


def _with_secret(view: EndpointView, secret: str) -> SecretEndpointView:
    members: dict[str, Any] = {name: getattr(view, name) for name in EndpointView.__struct_fields__}
    return SecretEndpointView(**members, secret=secret)


def _owed(found: Owed) -> OwedView:
    return OwedView(found.pending, found.dead)


def _health(found: Health) -> EndpointHealthView:
    return EndpointHealthView(
        state=found.state,
        failures=found.failures,
        failing_since=_instant(found.failing_since),
        next_probe_at=_instant(found.probe_at),
        disabled_at=_instant(found.disabled_at),
        disabled_reason=found.disabled_reason,
    )


def _instant(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
