"""What an address of the list asks for, and what is wrong with it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from statekeeper.console.filters import read_filters
from statekeeper.core.errors import QueryRefused
from statekeeper.store.queries.listing import ListingFilter

STATES = ("pending", "completed", "error")
KEY = UUID("fe1941c2-1e0b-4c0e-9d37-0a1f6c3f2b11")


def read(query: str):
    return read_filters(query.encode(), STATES)


def test_an_empty_form_asks_for_everything():
    filters = read("q=&environment=&flow=+&since=&until=")
    assert (filters.wanted, filters.any, filters.address()) == (ListingFilter(), False, "/console/sessions")


def test_each_field_is_a_filter():
    query = "state=completed&state=error&environment=live&flow=f&held=true&gap=true&dead=true&contradicted=true"
    times = "&since=2026-01-08&until=2026-01-09T08:00"
    assert read(query + times).wanted == ListingFilter(
        states=("completed", "error"),
        environment="live",
        flow_id="f",
        since=datetime(2026, 1, 8, tzinfo=UTC),
        until=datetime(2026, 1, 9, 8, tzinfo=UTC),
        held=True,
        gap=True,
        dead=True,
        contradicted=True,
    )


def test_a_time_with_an_offset_is_taken_at_its_word():
    assert read("since=2026-01-08T01:00%2B01:00").wanted.since == datetime(2026, 1, 8, tzinfo=UTC)


def test_a_whole_id_is_told_from_a_part_of_one():
    assert read(f"q=https://crm.example/cases/{KEY}?tab=2%26x").exact == KEY
    whole, part = read(f"q={KEY}"), read("q=FE19-41c2")
    assert (whole.exact, whole.wanted.part) == (KEY, None)
    assert (part.exact, part.wanted.part) == (None, "fe1941c2")


def test_an_address_leads_to_the_same_list_again():
    filters = read("state=error&state=completed&environment=a%26b%3Dc&cursor=somewhere&after=place")
    again = read_filters(filters.address(cursor="next").partition("?")[2].encode(), STATES)
    assert (again.wanted, again.cursor, again.after) == (filters.wanted, "next", None)


@pytest.mark.parametrize(
    ("query", "faulty"),
    [
        ("q=nothing+of+the+kind", ["q"]),
        ("q=abc", ["q"]),
        (f"q={'%20x' * 5000}{KEY}", ["q"]),
        ("state=bygone", ["state"]),
        (f"environment={'x' * 256}", ["environment"]),
        ("flow=%00", ["flow"]),
        ("since=yesterday", ["since"]),
        ("until=9999-12-31T23:59-23:59", ["until"]),
        ("since=2026-01-09&until=2026-01-08", ["until"]),
        ("since=2026-01-08&until=2026-01-08", ["until"]),
        ("gap=maybe&dead=1&held=0", ["held", "gap", "dead"]),
        ("state=bygone&since=x", ["state", "since"]),
    ],
)
def test_what_is_wrong_is_named_field_by_field(query, faulty):
    assert list(read(query).faults) == faulty


@pytest.mark.parametrize("query", ["staet=error", "q=abcd&q=abcd", "environment=%ff"])
def test_what_is_no_filter_is_refused(query):
    with pytest.raises(QueryRefused):
        read(query)
