"""What an endpoint that was made over the API or the command line is told: that much can be read without its keys."""

from typing import Final

from sqlalchemy import Connection, select

from statekeeper.core.subscribers import Subscriber
from statekeeper.store.tables import EndpointRow, table

_endpoints: Final = table(EndpointRow)


def stored_subscriber(connection: Connection, name: str) -> Subscriber | None:
    """The endpoint of this name as a subscriber, or None."""
    query = select(_endpoints.c.options).where(_endpoints.c.name == name, _endpoints.c.deleted_at.is_(None))
    options = connection.execute(query).scalar_one_or_none()
    return None if options is None else Subscriber.wanting(name, options)
