"""The store that most of these tests ask."""

import pytest

from databases import Clock
from statekeeper.core.subscribers import Subscriber
from statekeeper.store.database import Database
from stores import Store


@pytest.fixture
def store(database: Database, clock: Clock) -> Store:
    return Store(database, clock, Subscriber("crm"), Subscriber("mail", frozenset({"error"})))
