"""Who is told at this moment: functions, what stands in the settings, and the endpoints in the store.

`senders` and `subscribers` are live: a change that this process makes is in them before it is answered, and what others
have put into the store is noticed within a second, by the time of each endpoint's last change. An endpoint that cannot
be opened is a subscriber without a sender: it is owed its callbacks, and they wait.

One that is deleted leaves every roster at once, and its row stays until nothing is owed to it: whatever its deletion
did not come to, or a node that had not heard of it has promised since, is buried by every node. Meanwhile whoever else
bears its name, and that can only be one of the settings, is sent nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from statekeeper import metrics
from statekeeper.core.errors import Unavailable
from statekeeper.core.subscribers import Scope, Subscriber
from statekeeper.delivery.burial import Burial
from statekeeper.delivery.courier import Execute, Sender
from statekeeper.delivery.endpoints import Endpoint
from statekeeper.logs import redact, show_url
from statekeeper.store import endpoints
from statekeeper.store.deletion import NOTICED
from statekeeper.store.endpoints import Record, Secret
from statekeeper.trust.sealing import Sealer

POLL_SECONDS: Final = 1.0
T = TypeVar("T")
log = structlog.get_logger()


class Read(Protocol):
    """`Reader.read`: ask the store several things as of one moment."""

    async def __call__(self, question: Callable[[Connection], T]) -> T: ...


@dataclass(frozen=True, slots=True)
class Member:
    """One that is told. `sender` is None while it cannot be sent anything; `record` is there for one of the store."""

    subscriber: Subscriber
    kind: str
    sender: Sender | None
    url: str | None = field(default=None, repr=False)
    concurrency: int = 0
    rate: float | None = None
    secrets: tuple[Secret, ...] = ()
    record: Record | None = None

    @property
    def name(self) -> str:
        return self.subscriber.name

    @property
    def shown_url(self) -> str | None:
        """Where it is told, without what may be secret of it."""
        return None if self.url is None else redact(show_url(self.url))


class Directory:
    """The roster. `connect` makes the sender of an endpoint, and `on_change` is called when another roster stands."""

    def __init__(
        self,
        fixed: Iterable[Member],
        sealer: Sealer,
        connect: Callable[[Endpoint], Sender],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.changing: Final = asyncio.Lock()
        self.members: dict[str, Member] = {}
        self.subscribers: tuple[Subscriber, ...] = ()
        self.senders: Final[dict[str, Sender]] = {}
        self.sealer: Final = sealer
        self.burial: Final = Burial()
        self._fixed: Final = {member.name: member for member in fixed}
        self._connect = connect
        self._on_change = on_change
        self._made: dict[str, tuple[Endpoint, Sender]] = {}
        self._seen: frozenset[tuple[str, datetime]] = frozenset()
        self._ending: frozenset[str] = frozenset()
        self._stand({})

    def where(self, name: str) -> str | None:
        """Where a subscriber is told, as far as that may be shown; None where that is nowhere, or nobody is called so.

        A function is called in this process.
        """
        member = self.members.get(name)
        return member.shown_url if member else None

    def read_records(self, connection: Connection) -> list[Record]:
        return endpoints.read_all(connection, self.sealer)

    def take(self, records: Iterable[Record]) -> None:
        """Let these be the endpoints of the store, from this moment on."""
        records = list(records)
        self._seen = frozenset((record.name, record.updated_at) for record in records)
        self._ending = frozenset(record.name for record in records if record.deleted_at)
        there = (record for record in records if not record.deleted_at)
        stored = [self._member(record) for record in there if self._is_free(record.name)]
        self._made = {name: made for name, made in self._made.items() if any(each.name == name for each in stored)}
        self._stand({member.name: member for member in stored})
        self._on_change()

    def _stand(self, stored: Mapping[str, Member]) -> None:
        self.members = self._fixed | dict(stored)
        self.subscribers = tuple(member.subscriber for member in self.members.values())
        senders = {name: member.sender for name, member in self.members.items() if member.sender is not None}
        self.senders.clear()
        self.senders.update((name, sender) for name, sender in senders.items() if name not in self._ending)
        metrics.UNOPENED_ENDPOINTS.set(len(self.members) - len(senders))

    async def refresh(self, read: Read) -> None:
        """Take what the store has now; raises `Unavailable`."""
        async with self.changing:
            self.take(await read(self.read_records))

    async def watch(self, read: Read, execute: Execute) -> None:
        """Notice for ever what others change; to be supervised."""
        more = False
        while True:
            await asyncio.sleep(0 if more else POLL_SECONDS)
            more = False
            try:
                more = await self.look(read, execute)
            except Unavailable as error:
                log.warning("endpoints_not_read", reason=error.reason)

    async def look(self, read: Read, execute: Execute) -> bool:
        """Notice what others have changed, and bury a portion for each who is no more; True if there are more.

        A deletion has some seconds to come to its end by itself. To notice is urgent, and waits for no burial.
        """
        if await read(endpoints.versions) != self._seen:
            await self.refresh(read)
        more = False
        for name in sorted(self._ending):
            buried = await self.burial.portion(execute, name, NOTICED)
            more |= buried.more
            if buried.count:
                log.warning("endpoint_gone", endpoint=name, callbacks_dead=buried.count)
        return more

    def _is_free(self, name: str) -> bool:
        if name in self._fixed:
            log.error("endpoint_shadowed", endpoint=name, detail="the settings, or a function, have the same name")
        return name not in self._fixed

    def _member(self, record: Record) -> Member:
        """A record as a member; its sender is the one it had, unless something about it has changed."""
        endpoint = _endpoint(record)
        if record.target is None:
            log.error("endpoint_not_opened", endpoint=record.name, detail="none of encryption_keys opens it")
            return Member(endpoint.subscriber, "http", None, record=record, **_pace(endpoint))
        made, sender = self._made.get(record.name, (None, None))
        if sender is None or made != endpoint:
            sender = self._connect(endpoint)
            self._made[record.name] = endpoint, sender
        return Member(
            endpoint.subscriber,
            "http",
            sender,
            endpoint.url,
            secrets=record.target.secrets,
            record=record,
            **_pace(endpoint),
        )


def endpoint_of(
    name: str, url: str, secrets: Iterable[Secret], options: Mapping[str, Any], *, trusted: bool = False
) -> Endpoint:
    """An endpoint of either origin; `options` are named as settings name them."""
    secrets = tuple(secrets)
    return Endpoint(
        name=name,
        url=url,
        secrets=tuple(each.text for each in secrets if each.expires_at is None),
        states=frozenset(options["states"]),
        environments=frozenset(options["environments"]),
        flows=frozenset(options["flows"]),
        scope=Scope(options["transitions"]),
        notices=frozenset(options["notices"]),
        concurrency=options["concurrency"],
        rate=options["rate"],
        trusted=trusted,
        retiring=tuple((each.text, each.expires_at) for each in secrets if each.expires_at is not None),
    )


def _endpoint(record: Record) -> Endpoint:
    target = record.target
    return endpoint_of(record.name, target.url if target else "", target.secrets if target else (), record.options)


def _pace(endpoint: Endpoint) -> dict[str, Any]:
    return {"concurrency": endpoint.concurrency, "rate": endpoint.rate}
