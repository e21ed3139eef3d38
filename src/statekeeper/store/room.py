"""Whether the store has room: found out by keeping as many bytes as a batch may have, and giving them back later.

A small write tells nothing, since it fits into what a larger one has left free. The bytes are random, so that nothing
on their way can make them fewer, and must be committed, since a full disk is noticed no earlier.
"""

import os
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete

from statekeeper.store.keys import save_key_set
from statekeeper.store.tables import KeySetRow, table

ROOM: Final = 256 * 1024
_SOURCE: Final = "(room)"
_key_sets: Final = table(KeySetRow)


def take_room(connection: Connection, now: datetime) -> None:
    """Keep the bytes where a key set would be, under a name that no source has."""
    save_key_set(connection, _SOURCE, os.urandom(ROOM // 2).hex(), now)


def give_room(connection: Connection, _now: datetime) -> None:
    """Give back what was taken, in a transaction of its own."""
    connection.execute(delete(_key_sets).where(_key_sets.c.source == _SOURCE))
