"""What several operations take and refuse."""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.contract import Json, in_query
from statekeeper.api.parameters import NO_UUID
from statekeeper.core.errors import QueryRefused, Unavailable
from statekeeper.resources import default_chart
from statekeeper.store.pages import DEFAULT_LIMIT, MAX_LIMIT

TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 255}
INSTANT: Final = {"type": "string", "format": "date-time"}
STATES: Final = {"type": "array", "items": {"type": "string", "enum": list(default_chart().states)}}
AWAY: Final = Unavailable("The store does not answer, or is full.", reason="store")


def limit(default: int, most: int) -> Json:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return in_query("limit", "How many at most.", schema, default)


PAGING: Final = (
    limit(DEFAULT_LIMIT, MAX_LIMIT),
    in_query("cursor", "The `nextCursor` of the page before.", {"type": "string"}, example.PAGE.next_cursor),
)
BAD_LIMIT: Final = QueryRefused("limit", f"must be an integer from 1 to {MAX_LIMIT}")


def no_uuid(name: str) -> QueryRefused:
    return QueryRefused(name, NO_UUID)
