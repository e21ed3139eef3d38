"""What is done about endpoints, whoever asks for it: the API of a service that runs, or a command beside it.

An act is one transaction, its entry in the audit trail included, and what it made of the roster is taken note of before
it is answered; why it is done stands in that entry, where somebody says so. How an endpoint fares and whether it is
enabled is state, and kept in the store for those in the settings as well; only what they are is theirs to say.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import Connection

from statekeeper.core.acts import Actor, Deed
from statekeeper.core.errors import CannotBeOpened, EndpointChanged, NotFound, NotYetFree, Unavailable
from statekeeper.core.events import MAX_TEXT
from statekeeper.core.health import State
from statekeeper.core.instants import rfc3339
from statekeeper.delivery.catalogue import Catalogue
from statekeeper.delivery.changes import Changes, Values, told, told_changes
from statekeeper.delivery.courier import Execute, send_within
from statekeeper.delivery.directory import Directory, Member, Read
from statekeeper.delivery.endpoint_views import Figures, endpoint_view, with_secret
from statekeeper.store import endpoints, health
from statekeeper.store.attempts import Claim
from statekeeper.store.audit import Record, record, recorded
from statekeeper.store.deletion import NOTICED
from statekeeper.store.endpoints import Record as Stored
from statekeeper.store.views import (
    EndpointsView,
    EndpointView,
    PingView,
    SecretEndpointView,
)

FUNCTION = "function"
T = TypeVar("T")
Job = Callable[[Connection, datetime], T]


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
        return EndpointsView([endpoint_view(self.directory.members[name], figures) for name in self._names()])

    async def show(self, name: str) -> EndpointView:
        member = self._find(name)
        return endpoint_view(member, await self.read(_figures))

    async def create(self, values: Values, actor: Actor, reason: str | None = None) -> SecretEndpointView:
        try:
            secret = await self._create(values, actor, reason)
        except NotYetFree:
            await self.directory.burial.whole(self.execute, values["name"], NOTICED)
            secret = await self._create(values, actor, reason)
        return with_secret(await self._show_done(values["name"]), secret)

    async def change(
        self, name: str, patch: Values, actor: Actor, reason: str | None = None, *, seen: str | None = None
    ) -> EndpointView:
        """With `seen`, only if its `updatedAt` is that; else raises `EndpointChanged`, and knows by then how it is."""

        def entry(changes: Changes) -> Record | None:
            effect = told_changes(changes)
            return Record(Deed.ENDPOINT_CHANGE, subject=name, reason=reason, effect=effect) if effect else None

        try:
            await self._act(lambda c, now: self.catalogue.change(c, name, patch, now, seen), actor, entry)
        except EndpointChanged:
            await self.directory.refresh(self.read)
            raise
        return await self._show_done(name)

    async def rotate(
        self, name: str, secret: str | None, overlap: timedelta, actor: Actor, reason: str | None = None
    ) -> SecretEndpointView:
        effect = {"overlap": overlap.total_seconds()}
        entry = Record(Deed.ENDPOINT_ROTATE, subject=name, reason=reason, effect=effect)
        rotate = lambda c, now: self.catalogue.rotate(c, name, secret, overlap, now)  # noqa: E731 -- it is passed on
        new = await self._act(rotate, actor, lambda _: entry)
        return with_secret(await self._show_done(name), new)

    async def delete(self, name: str, actor: Actor, reason: str | None = None) -> int:
        """Returns how many callbacks are dead for it; they are made so in portions, for nobody to wait for all."""

        def entry(owed: int) -> Record:
            return Record(Deed.ENDPOINT_DELETE, subject=name, reason=reason, effect={"dead": owed})

        await self._act(lambda c, now: self.catalogue.delete(c, name, now), actor, entry)
        return await self.directory.burial.whole(self.execute, name)

    async def reseal(self, actor: Actor) -> tuple[int, list[str]]:
        def entry(made: tuple[int, list[str]]) -> Record:
            return Record(Deed.ENDPOINT_RESEAL, effect={"resealed": made[0], "closed": made[1]})

        return await self._act(self.catalogue.reseal, actor, entry)

    async def enable(self, name: str, actor: Actor, reason: str | None = None) -> EndpointView:
        tell, entry = self.directory.subscribers, Record(Deed.ENDPOINT_ENABLE, subject=name, reason=reason)
        return await self._switch(name, lambda c, now: health.enable(c, name, now, tell), State.CLOSED, actor, entry)

    async def disable(self, name: str, reason: str | None, actor: Actor) -> EndpointView:
        """Without a reason, whoever asks is told by whom."""
        tell, entry = self.directory.subscribers, Record(Deed.ENDPOINT_DISABLE, subject=name, reason=reason)
        why = reason or f"by {actor.name}"[:MAX_TEXT]
        disable = lambda c, now: health.disable(c, name, why, now, tell)  # noqa: E731 -- it is passed on
        return await self._switch(name, disable, State.DISABLED, actor, entry)

    async def ping(self, name: str, actor: Actor, reason: str | None = None) -> PingView:
        """Send a test message at once, past the queue, the circuit and the count of failures.

        It is recorded before it is sent: what cannot be recorded is not done.
        """
        sender = self._find(name).sender
        if sender is None:
            raise CannotBeOpened(name)
        message_id = uuid4()
        effect = {"messageId": str(message_id)}
        entry = Record(Deed.ENDPOINT_PING, subject=name, reason=reason, effect=effect)
        await self.execute(lambda c, now: record(c, actor, entry, now))
        began = time.monotonic()
        claim = Claim(message_id, message_id, 0, name, _ping(name), 1, 0)
        answer = await send_within(self.seconds, sender, claim)
        took = round((time.monotonic() - began) * 1000)
        return PingView(str(message_id), answer.outcome, answer.detail, took, answer.response)

    async def _switch(
        self, name: str, job: Job[State | None], becomes: State, actor: Actor, entry: Record
    ) -> EndpointView:
        """Do it, and record what it was before and is now; nothing is recorded where it was so already."""

        def made(was: State | None) -> Record | None:
            return replace(entry, effect=told_changes({"health": (was, becomes)})) if was else None

        self._find(name)
        await self.execute(recorded(job, actor, made))
        self.wake()
        return await self._show_done(name)

    async def _show_done(self, name: str) -> EndpointView:
        """What an act has left behind. It is done: its answer, which may hold a secret, does not fail for figures."""
        try:
            return await self.show(name)
        except Unavailable:
            return endpoint_view(self._find(name), None)

    async def _create(self, values: Values, actor: Actor, reason: str | None) -> str:
        def entry(_secret: str) -> Record:
            return Record(Deed.ENDPOINT_CREATE, subject=values["name"], reason=reason, effect=told(values))

        return await self._act(lambda c, now: self.catalogue.create(c, values, now), actor, entry)

    async def _act(self, job: Job[T], actor: Actor, entry: Callable[[T], Record | None]) -> T:
        """Do it, record it, and let the roster be what the store has then."""
        job = recorded(job, actor, entry)

        def act(connection: Connection, now: datetime) -> tuple[T, list[Stored]]:
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
