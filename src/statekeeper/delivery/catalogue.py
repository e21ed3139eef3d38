"""Endpoints as data: made, changed, and taken away, under the rules that those in the settings are under as well.

Each act is one job in a transaction that somebody else opened. What is refused is refused before anything is written. A
secret is ours unless one was given, and leaves here once. One that is rotated out signs on for a while beside the new
one, so that its receiver may change over at leisure, and then falls away by itself.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from statekeeper.core.errors import BodyRefused, EndpointChanged, Fault, InSettings, NameTaken, NotFound
from statekeeper.core.events import storable
from statekeeper.core.health import State
from statekeeper.core.instants import rfc3339
from statekeeper.delivery.changes import Changes, Values, differences
from statekeeper.store import deletion, endpoints, health, recovery
from statekeeper.store.endpoints import Record, Secret, Target
from statekeeper.trust.sealing import Sealer
from statekeeper.trust.signing import new_secret

MOST_SECRETS: Final = 10
TOO_MANY_SECRETS: Final = BodyRefused(
    (Fault("overlap", f"{MOST_SECRETS} secrets sign already: wait for one to end, or give 0 to end them all"),)
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The endpoints of the store.

    `check` takes all values of one as settings have them and returns its options, defaults included; it raises
    `BodyRefused`. `taken` are the names of the subscribers that are no data.
    """

    sealer: Sealer
    check: Callable[[Values], Values]
    taken: Collection[str]

    def create(self, connection: Connection, values: Values, now: datetime) -> str:
        """Make one of name, URL and options; returns its secret, which is the one in `values` or a new one."""
        self.sealer.require_key()
        secret = new_secret() if values.get("secret") is None else values["secret"]
        said = {name: value for name, value in values.items() if name != "secret"}
        options = self.check(said | {"secrets": [secret]})
        if said["name"] in self.taken:
            raise NameTaken(said["name"])
        endpoints.create(connection, self.sealer, Target(said["name"], said["url"], (Secret(secret),)), options, now)
        health.renew(connection, said["name"], now)
        return str(secret)

    def change(
        self, connection: Connection, name: str, patch: Values, now: datetime, seen: str | None = None
    ) -> Changes:
        """Replace some of its values; None takes one back to its default. Returns what is other now, if anything is.

        `seen` is the `updatedAt` of the endpoint that somebody looked at; raises `EndpointChanged` if that is another.
        """
        record = self._read(connection, name)
        if seen is not None and seen != rfc3339(record.updated_at):
            raise EndpointChanged(name)
        target = record.opened()
        before = {"url": target.url, **record.options}
        kept = {"name": name, **before, "secrets": [each.text for each in target.secrets]}
        said = {member: value for member, value in (kept | dict(patch)).items() if value is not None}
        options = self.check(said)
        changes = differences(before, {"url": said["url"], **options})
        if changes:
            changed = replace(target, url=said["url"], secrets=_valid(target, now))
            endpoints.save(connection, self.sealer, record, changed, options, now)
        return changes if "url" not in changes else {**changes, **_renew(connection, name, now)}

    def rotate(self, connection: Connection, name: str, secret: str | None, overlap: timedelta, now: datetime) -> str:
        """Give it another secret, and return that; those it had sign too until `overlap` is over."""
        record = self._read(connection, name)
        target = record.opened()
        new = new_secret() if secret is None else secret
        self.check({"name": name, "url": target.url, **record.options, "secrets": [new]})
        retired = (
            replace(each, expires_at=min(each.expires_at or now + overlap, now + overlap)) for each in target.secrets
        )
        secrets = (Secret(new), *(each for each in retired if each.is_valid(now)))
        if len(secrets) > MOST_SECRETS:
            raise TOO_MANY_SECRETS
        endpoints.save(connection, self.sealer, record, replace(target, secrets=secrets), record.options, now)
        return new

    def delete(self, connection: Connection, name: str, now: datetime) -> int:
        """Take one away, with its health and what was still to be recovered for it; what it is owed is to be buried.

        Returns how many callbacks that is.
        """
        self._refuse_settings(name)
        owed = deletion.mark(connection, name, now)
        health.forget(connection, name)
        recovery.end(connection, name, now)
        return owed

    def reseal(self, connection: Connection, now: datetime) -> tuple[int, list[str]]:
        """Seal all anew with the newest key; returns how many, and the names of those that cannot be opened."""
        self.sealer.require_key()
        records = [endpoints.read_locked(connection, self.sealer, name) for name in endpoints.names(connection)]
        for record in records:
            if record.target is not None:
                target = replace(record.target, secrets=_valid(record.target, now))
                endpoints.save(connection, self.sealer, record, target, record.options, now)
        closed = [record.name for record in records if record.target is None]
        return len(records) - len(closed), closed

    def _read(self, connection: Connection, name: str) -> Record:
        self._refuse_settings(name)
        return endpoints.read_locked(connection, self.sealer, name)

    def _refuse_settings(self, name: str) -> None:
        if not storable(name):
            raise NotFound("endpoint", name)
        if name in self.taken:
            raise InSettings(name)


def _renew(connection: Connection, name: str, now: datetime) -> Changes:
    return differences({"health": health.renew(connection, name, now)}, {"health": State.CLOSED})


def _valid(target: Target, now: datetime) -> tuple[Secret, ...]:
    return tuple(each for each in target.secrets if each.is_valid(now))
