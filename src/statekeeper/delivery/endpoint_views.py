"""Endpoints as they are shown: what each is, how it fares, and what it is owed; never what is secret of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from statekeeper.core.health import HEALTHY, Health
from statekeeper.core.instants import rfc3339
from statekeeper.delivery.directory import Member
from statekeeper.store.endpoints import Owed
from statekeeper.store.views import (
    EndpointHealthView,
    EndpointView,
    OwedView,
    SecretEndpointView,
    SigningSecretView,
)

UNKNOWN_HEALTH: Final = EndpointHealthView("unknown", 0, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Figures:
    """How all fare, as of one moment."""

    health: dict[str, Health]
    owed: dict[str, Owed]


def endpoint_view(member: Member, figures: Figures | None) -> EndpointView:
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


def with_secret(view: EndpointView, secret: str) -> SecretEndpointView:
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
