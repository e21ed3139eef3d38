from datetime import UTC, datetime, timedelta, timezone

import pytest

from statekeeper.core.instants import parse_rfc3339, rfc3339, to_milliseconds

INSTANT = datetime(2026, 1, 8, 8, 35, 37, 581999, tzinfo=UTC)


def test_a_time_is_written_in_utc_with_milliseconds_and_z():
    assert rfc3339(INSTANT) == "2026-01-08T08:35:37.581Z"
    assert rfc3339(datetime(2026, 1, 8, tzinfo=UTC)) == "2026-01-08T00:00:00.000Z"
    assert rfc3339(datetime(2026, 1, 8, 1, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-07T23:00:00.000Z"


def test_a_year_has_four_digits_however_early():
    assert rfc3339(datetime(33, 4, 3, tzinfo=UTC)) == "0033-04-03T00:00:00.000Z"


def test_what_was_written_is_read_back():
    assert parse_rfc3339(rfc3339(INSTANT)) == to_milliseconds(INSTANT)


def test_a_time_elsewhere_is_read_as_utc():
    read = parse_rfc3339("2026-01-08T10:35:37.5+02:00")
    assert read == datetime(2026, 1, 8, 8, 35, 37, 500000, tzinfo=UTC)
    assert read.tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-01-08T08:35:37", "2026-01-08", "yesterday", "", "2026-13-01T00:00:00Z"])
def test_what_has_no_offset_or_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        parse_rfc3339(text)


def test_milliseconds_are_cut_and_not_rounded():
    assert to_milliseconds(INSTANT).microsecond == 581000
