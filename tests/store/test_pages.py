"""Cursors of walks; the walks themselves are tested through what is walked."""

from datetime import timedelta
from uuid import UUID

from databases import Clock
from statekeeper.store.pages import read_cursor, write_cursor

SESSION = UUID(int=1)


def test_a_cursor_names_its_place_to_the_microsecond():
    place = (Clock().now + timedelta(microseconds=7), SESSION)
    assert read_cursor(write_cursor(place)) == place
