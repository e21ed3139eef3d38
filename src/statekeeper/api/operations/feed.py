"""Steps of all sessions in one order, for those who would rather ask than be told."""

from typing import Final

from statekeeper.api import examples as example
from statekeeper.api.consumers import PlacementRequest
from statekeeper.api.contract import Answer, Json, Operation, Takes, in_path, in_path_as, in_query
from statekeeper.api.feed import KINDS, LAST_EVENT_ID
from statekeeper.api.operations.shapes import AWAY, STATES, TEXT, limit, no_uuid
from statekeeper.api.parameters import BAD_ORDINAL, BAD_POSITION
from statekeeper.api.sessions import LONGEST_WAIT
from statekeeper.api.streams import MEDIA_TYPE
from statekeeper.core.errors import (
    Fault,
    NotFound,
    PositionMoved,
    QueryRefused,
    TooManyConsumers,
    Unavailable,
)
from statekeeper.store.consumers import MAX_CONSUMERS
from statekeeper.store.feed_pages import DEFAULT_ITEMS, MAX_ITEMS
from statekeeper.tail import MOST_PASSED_OVER

_POSITION: Final = {"type": "string", "pattern": "^[0-9]{1,18}$"}
_CONSUMER: Final = in_path_as("name", "The consumer's name.", TEXT, "crm")
_LAST_EVENT_ID: Final = {
    "name": LAST_EVENT_ID,
    "in": "header",
    "description": "The id of the last event that was had, as an `EventSource` sends it; it wins over `after`.",
    "schema": {"type": "string"},
}
_FILTERS: Final[tuple[Json, ...]] = (
    in_query("after", "Behind this position; `0` is the beginning.", _POSITION, "41"),
    in_query("transitions", "Ends of sessions only, or every step.", {"type": "string", "enum": [*KINDS]}, "terminal"),
    in_query(
        "state",
        "Steps into one of these states; may be given several times.",
        STATES,
        ["completed"],
    ),
    in_query("environment", "The provider's environment; of ends only.", TEXT, "staging"),
    in_query("flowId", "The provider's flow; of ends only.", TEXT, example.SESSION.flow_id),
)
_BEYOND: Final = QueryRefused("after", "is beyond the head of the feed: it is no position of this store")
_NO_POSITION: Final = QueryRefused("after", BAD_POSITION)
_NO_PLACE: Final = Fault("position", "must be a position in decimal digits, start or end")
_NO_CONSUMER: Final = NotFound("consumer", "crm")
_FULL: Final = Unavailable("Too many streams are open.", reason="streams_full")

FEED: Final = (
    Operation(
        method="get",
        path="/v1/feed",
        name="getFeed",
        tag="Feed",
        summary="Steps of all sessions, in one order",
        description=(
            "Every step has a position; positions have no gap, and whoever has seen one has seen all before it. Read"
            " behind `nextCursor` again and again: an empty page that leads no further means that there is nothing more"
            " for now, and `wait` holds the answer until there is. What a filter passes over is bounded: behind"
            f" {MOST_PASSED_OVER:,} steps of which none fits, an empty page leads on at once. An item never changes."
            " With `consumer`, the page is the one behind that consumer's position, which only a PUT of it moves."
        ),
        parameters=(
            *_FILTERS,
            in_query("consumer", "Behind this consumer's position, and of its kind.", TEXT, "crm"),
            limit(DEFAULT_ITEMS, MAX_ITEMS),
            in_query(
                "wait",
                "Seconds to wait for the first item.",
                {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT},
                30,
            ),
        ),
        answers={200: Answer("One page.", example.FEED_PAGE)},
        refusals=(_NO_POSITION, _BEYOND, _NO_CONSUMER, AWAY),
    ),
    Operation(
        method="get",
        path="/v1/feed/stream",
        name="streamFeed",
        tag="Feed",
        summary="The feed as server-sent events",
        description=(
            "From now on; with `after`, or with `Last-Event-ID` as an `EventSource` sends it, from there on. The id of"
            " an event is its position, its type is that of the item. A comment every 15 seconds shows that the line is"
            " open."
        ),
        parameters=(*_FILTERS, _LAST_EVENT_ID),
        answers={200: Answer("Events without end.", media_type=MEDIA_TYPE, text=example.FEED_FRAMES)},
        refusals=(_NO_POSITION, _BEYOND, AWAY, _FULL),
    ),
    Operation(
        method="get",
        path="/v1/sessions/{sessionId}/stream",
        name="streamSession",
        tag="Sessions",
        summary="A session's steps as server-sent events",
        description=(
            "All steps that it has taken and each further one, up to its end, which ends the answer. The id of an event"
            " is the step's ordinal. A client that comes again with the end as its `Last-Event-ID` is answered 204,"
            " which tells an `EventSource` to stop."
        ),
        parameters=(in_path("sessionId", example.SESSION_ID), _LAST_EVENT_ID),
        answers={
            200: Answer("Events up to the end.", media_type=MEDIA_TYPE, text=example.SESSION_FRAMES),
            204: Answer("The client has the end already."),
        },
        refusals=(
            no_uuid("sessionId"),
            QueryRefused(LAST_EVENT_ID, BAD_ORDINAL),
            NotFound("session", example.SESSION_ID),
            AWAY,
            _FULL,
        ),
    ),
    Operation(
        method="get",
        path="/v1/feed/consumers",
        name="listConsumers",
        tag="Feed",
        summary="The named consumers",
        description="By their names, each with its lag, and the position of the newest step.",
        answers={200: Answer("All of them.", example.CONSUMERS)},
        refusals=(AWAY,),
    ),
    Operation(
        method="get",
        path="/v1/feed/consumers/{name}",
        name="getConsumer",
        tag="Feed",
        summary="One consumer",
        description="Where it is, and how many items of its kind and how many seconds that is behind.",
        parameters=(_CONSUMER,),
        answers={200: Answer("The consumer.", example.CONSUMER)},
        refusals=(_NO_CONSUMER, AWAY),
    ),
    Operation(
        method="put",
        path="/v1/feed/consumers/{name}",
        name="putConsumer",
        tag="Feed",
        summary="Make a consumer, or move it",
        description=(
            "To a position, to the `start`, or to the `end`: back to read again, forth to acknowledge what has been"
            " dealt with. With `expected` it is moved only from there, so that two workers of one name cannot undo one"
            " another's moves. Needs `support`."
        ),
        parameters=(_CONSUMER,),
        takes=Takes(PlacementRequest("42", "terminal", "41"), _NO_PLACE),
        answers={
            200: Answer("It has been moved.", example.CONSUMER),
            201: Answer("It has been made.", example.CONSUMER),
        },
        refusals=(
            QueryRefused("position", "is beyond the head of the feed"),
            _NO_CONSUMER,
            PositionMoved("crm"),
            TooManyConsumers(MAX_CONSUMERS),
            AWAY,
        ),
    ),
    Operation(
        method="delete",
        path="/v1/feed/consumers/{name}",
        name="deleteConsumer",
        tag="Feed",
        summary="Forget a consumer",
        description="Its position is forgotten; the feed stays as it is. Needs `support`.",
        parameters=(_CONSUMER,),
        answers={204: Answer("It is forgotten.")},
        refusals=(_NO_CONSUMER, AWAY),
    ),
)
