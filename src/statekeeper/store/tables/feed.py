"""Where the feed ends, and how far its consumers are; the feed itself is the steps, in the order of their positions."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, String
from sqlmodel import Field

from statekeeper.store.tables.base import Table


class FeedHeadRow(Table, table=True):
    """One row: the last position given to a step, how many ends there are up to it, and the sessions by their state.

    Who holds its lock is the only one about to commit steps. A session in the initial state has taken none, so that
    `states` does not count it.
    """

    __tablename__ = "feed_heads"

    feed_id: int = Field(default=1, primary_key=True)
    position: int = Field(default=0, sa_type=BigInteger)
    ends: int = Field(default=0, sa_type=BigInteger)
    states: dict[str, int] = Field(default_factory=dict, sa_type=JSON, nullable=False)


class FeedConsumerRow(Table, table=True):
    """A named consumer of the feed, and the position up to which it has taken note; `terminal` if of ends only."""

    __tablename__ = "feed_consumers"

    name: str = Field(sa_type=String(255), primary_key=True)
    position: int = Field(default=0, sa_type=BigInteger)
    terminal: bool = True
    created_at: datetime
    updated_at: datetime
